#include "server/redteam/job.h"

#include <string.h>

#include "base/clock.h"
#include "server/redteam/pause.h"
#include "server/redteam/probe.h"

/* A full pool or a tenant's rate is no finding: it is asked again, for as long as a queue may
 * hold a job. */
#define TRIES	   30
#define BETWEEN_MS 500
#define LOOK_MS	   5

static json_t *limits_of(const char *words)
{
	json_t *limits = json_object();
	const char *word;
	size_t length;

	while ((word = probe_word(&words, &length)) != NULL) {
		const char *equals = memchr(word, '=', length);
		char name[32];

		if (equals == NULL)
			continue;
		(void)snprintf(name, sizeof(name), "%.*s", (int)(equals - word), word);
		(void)json_object_set_new(limits, name,
					  json_integer(strtoll(equals + 1, NULL, 10)));
	}
	return limits;
}

int job_init(struct job *job, const struct place *place, const char *code, const char *limits,
	     struct err *err)
{
	json_t *document = json_pack("{s:s, s:s, s:o}", "language", "python", "code", code,
				     "limits", limits_of(limits));

	*job = (struct job){.place = place, .client.socket_fd = -1};
	if (document != NULL)
		job->request = json_dumps(document, JSON_COMPACT);
	json_decref(document);
	if (job->request == NULL)
		return err_set(err, EINVAL, "the code is not UTF-8 text");
	return 0;
}

void job_done(struct job *job)
{
	if (job->is_running)
		(void)pthread_join(job->thread, NULL);
	job->is_running = false;
	free(mem_take(&job->request));
	json_decref(mem_take(&job->answer));
}

static int judge_answer(struct job *job, const struct buf *text, long status, struct err *err)
{
	json_t *document = json_loadb(text->data == NULL ? "" : text->data, text->length,
				      JSON_ALLOW_NUL, NULL);
	const char *title = json_string_value(json_object_get(document, "title"));
	const char *detail = json_string_value(json_object_get(document, "detail"));

	if (status == 200 && json_is_object(document)) {
		job->answer = document;
		return 0;
	}
	err_ignore(err_set(err, EPROTO, "HTTP %ld: %s. %s", status,
			   title == NULL ? "no document" : title, detail == NULL ? "" : detail),
		   "returned below");
	json_decref(document);
	return -EPROTO;
}

int job_run(struct job *job, struct client *client, struct err *err)
{
	for (int left = TRIES;; left--) {
		own_buf answer = {0};
		long http_status = 0;
		int status;

		atomic_store(&job->asked_us, clock_mono_us());
		status = client_post(client, "/v1/executions", job->request,
				     strlen(job->request), &answer, &http_status, err);
		if (status < 0)
			return status;
		if ((http_status != 429 && http_status != 503) || left == 0)
			return judge_answer(job, &answer, http_status, err);
		atomic_store(&job->asked_us, 0);
		pause_ms(BETWEEN_MS);
	}
}

static void *run(void *owner)
{
	struct job *job = owner;
	int status = client_open(&job->client, job->place, &job->err);

	if (status == 0)
		status = job_run(job, &job->client, &job->err);
	client_close(&job->client);
	if (status < 0 && job->err.code == 0)
		job->err.code = -status;
	atomic_store(&job->is_over, true);
	return NULL;
}

int job_begin(struct job *job, struct err *err)
{
	int failed = pthread_create(&job->thread, NULL, run, job);

	if (failed != 0)
		return err_errno(err, failed, "start a thread");
	job->is_running = true;
	return 0;
}

int job_wait(struct job *job, struct err *err)
{
	if (job->is_running)
		(void)pthread_join(job->thread, NULL);
	job->is_running = false;
	if (job->err.code != 0 && err != NULL)
		*err = job->err;
	return -job->err.code;
}

void job_wait_inside(const struct job *job, unsigned ms)
{
	while (!atomic_load(&job->is_over)) {
		uint64_t asked_us = atomic_load(&job->asked_us);

		if (asked_us != 0 && clock_mono_us() >= asked_us + ms * UINT64_C(1000))
			return;
		pause_ms(LOOK_MS);
	}
}

void job_leave(struct job *job)
{
	client_hang_up(&job->client);
	(void)pthread_join(job->thread, NULL);
	job->is_running = false;
}

const char *job_text(const struct job *job, const char *member)
{
	const char *text = json_string_value(json_object_get(job->answer, member));

	return text == NULL ? "" : text;
}
