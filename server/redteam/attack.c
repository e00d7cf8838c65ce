#include "server/redteam/attack.h"

#include <string.h>

#include "base/clock.h"
#include "schema/status.h"
#include "server/redteam/job.h"
#include "server/redteam/pause.h"
#include "server/redteam/process.h"
#include "server/redteam/raw.h"

#define CODE_BYTES_MAX (256 * 1024)

/* Until the job beside is where it waits; a job needs a few milliseconds to get there. */
#define BESIDE_MS 400
/* How long the jobs' processes are looked for. Their code sleeps a second. */
#define LOOK_MS	    4000
#define LOOK_GAP_MS 5
/* An answer is given when the rest of a job is being killed. */
#define GONE_MS 2000

volatile sig_atomic_t attack_is_interrupted;

void verdict_say(struct verdict *verdict, enum end end, const char *text)
{
	size_t length = 0;

	verdict->end = end;
	for (; *text != '\0' && length < sizeof(verdict->saw) - 1; text++) {
		bool is_plain = *text >= ' ' && *text <= '~';

		if (*text == '\n' && text[1] == '\0')
			break;
		verdict->saw[length++] = is_plain ? *text : '.';
	}
	verdict->saw[length] = '\0';
}

/* Whether the service says that the layer holds. */
static bool has_layer(const struct target *target, const char *layer, size_t length)
{
	const json_t *layers =
		json_object_get(json_object_get(target->capabilities, "isolation"), "layers");
	const json_t *entry;
	size_t index;

	json_array_foreach(layers, index, entry)
	{
		const char *name = json_string_value(entry);

		if (name != NULL && strlen(name) == length && strncmp(name, layer, length) == 0)
			return true;
	}
	return false;
}

static int ask_capabilities(struct target *target, bool *ret_is_here, struct err *err)
{
	own_buf answer = {0};
	long http_status = 0;
	const char *mine = NULL;
	const char *its = NULL;
	int status =
		client_get(&target->client, "/v1/capabilities", &answer, &http_status, err);

	if (status < 0)
		return status;
	if (http_status == 200 && answer.data != NULL)
		target->capabilities = json_loadb(answer.data, answer.length, 0, NULL);
	if (target->capabilities == NULL)
		return err_set(err, EPROTO, "%s answers %ld: may this certificate run code?",
			       target->place->url, http_status);
	/* A connection whose two ends have one address did not leave the host. */
	(void)curl_easy_getinfo(target->client.curl, CURLINFO_LOCAL_IP, &mine);
	(void)curl_easy_getinfo(target->client.curl, CURLINFO_PRIMARY_IP, &its);
	*ret_is_here = mine != NULL && its != NULL && strcmp(mine, its) == 0;
	return 0;
}

/* The job of one of the probe's sections. -ENODATA: it names a fact that is not known here. */
static int make_job(const struct target *target, const struct probe *probe, const char *code,
		    struct job *ret, struct err *err)
{
	own_buf text;
	int status;

	buf_init(&text, CODE_BYTES_MAX);
	buf_add_str(&text, target->probes->prelude);
	if (!host_fill(&target->host, code, &text))
		return -ENODATA;
	status = buf_check(&text, err);
	return status < 0 ? status
			  : job_init(ret, target->place, text.data, probe->limits, err);
}

/* Two ends with one address may be those of a forwarded port, whose other side is another host
 * or a container. So a job shows itself, and its service is looked at. */
static int look_for_service(struct target *target, bool *ret_is_here, struct err *err)
{
	static const struct probe sleeper = {.limits = "",
					     .code = "import time\n"
						     "libc.prctl(15, b'{mark}', 0, 0, 0)\n"
						     "time.sleep(9)\n"};
	uint64_t until = clock_mono_us() + LOOK_MS * 1000;
	const char *mark = target->host.mark;
	own_job job = {0};
	pid_t found[2];
	int status = make_job(target, &sleeper, sleeper.code, &job, err);

	if (status == 0)
		status = job_begin(&job, err);
	if (status < 0)
		return status;
	while (process_find(mark, found) == 0 && !atomic_load(&job.is_over) &&
	       clock_mono_us() < until)
		pause_ms(LOOK_GAP_MS);
	*ret_is_here = process_find(mark, found) > 0 &&
		       process_is_beside_us(found[0], target->host.canary);
	job_leave(&job);
	return 0;
}

static int place_witnesses(struct target *target, bool is_here, pid_t service, struct err *err)
{
	int status = host_open(&target->host, is_here, service, err);

	if (status < 0 || !is_here)
		return status;
	status = look_for_service(target, &is_here, err);
	if (status == 0 && is_here)
		return 0;
	host_close(&target->host);
	return status < 0 ? status : host_open(&target->host, false, service, err);
}

int target_open(struct target *target, const struct place *place, const struct probes *probes,
		pid_t service, struct err *err)
{
	bool is_here = false;
	int status;

	*target = (struct target){.place = place, .probes = probes};
	status = client_open(&target->client, place, err);
	if (status == 0)
		status = ask_capabilities(target, &is_here, err);
	if (status == 0)
		status = place_witnesses(target, is_here, service, err);
	if (status < 0) {
		client_close(&target->client);
		json_decref(mem_take(&target->capabilities));
	}
	return status;
}

void target_close(struct target *target)
{
	host_close(&target->host);
	client_close(&target->client);
	json_decref(mem_take(&target->capabilities));
}

static bool is_layer(const char *word, size_t length)
{
	for (unsigned i = 0; i < LAYER_COUNT; i++)
		if (strlen(layer_name(i)) == length &&
		    strncmp(layer_name(i), word, length) == 0)
			return true;
	return false;
}

/* Which layer answered: the one that `tells` connects with what was seen, else the first of
 * the probe's that is there. Parts of the service itself always are. */
static void name_layer(const struct target *target, const struct probe *probe,
		       struct verdict *verdict)
{
	const char *words = probe->tells;
	const char *word;
	size_t length;

	while ((word = probe_word(&words, &length)) != NULL) {
		const char *equals = memchr(word, '=', length);
		char seen[32];

		if (equals == NULL)
			continue;
		(void)snprintf(seen, sizeof(seen), "%.*s", (int)(equals - word), word);
		if (strstr(verdict->saw, seen) != NULL) {
			(void)snprintf(verdict->layer, sizeof(verdict->layer), "%.*s",
				       (int)(length - (size_t)(equals - word) - 1), equals + 1);
			return;
		}
	}
	words = probe->layers;
	while ((word = probe_word(&words, &length)) != NULL)
		if (has_layer(target, word, length) || !is_layer(word, length)) {
			(void)snprintf(verdict->layer, sizeof(verdict->layer), "%.*s",
				       (int)length, word);
			return;
		}
}

static void judge_words(const struct probe *probe, const struct job *job, struct verdict *ret)
{
	const char *out = job_text(job, "stdout");
	const char *status = job_text(job, "status");
	char text[160];

	if (strncmp(out, "HELD", 4) == 0) {
		verdict_say(ret, END_HELD, out[4] == '\0' ? "" : out + 5);
	} else if (strncmp(out, "ESCAPED", 7) == 0) {
		verdict_say(ret, END_ESCAPED, out[7] == '\0' ? "" : out + 8);
	} else if (probe_has_word(probe->ends, status)) {
		verdict_say(ret, END_HELD, status);
	} else {
		(void)snprintf(text, sizeof(text), "%s, it said '%.40s' and '%.60s'", status,
			       out, job_text(job, "stderr"));
		verdict_say(ret, END_BROKEN, text);
	}
}

static void judge_difference(const struct job *job, const struct job *other,
			     struct verdict *ret)
{
	const char *mine = job_text(job, "stdout");
	const char *its = job_text(other, "stdout");
	char text[sizeof(ret->saw)];

	(void)snprintf(text, sizeof(text), "%.60s and %.60s", mine, its);
	if (*mine == '\0' || *its == '\0' || *job_text(job, "stderr") != '\0')
		verdict_say(ret, END_BROKEN, *mine != '\0' ? text : job_text(job, "stderr"));
	else
		verdict_say(ret, strcmp(mine, its) == 0 ? END_ESCAPED : END_HELD, text);
}

static void judge_event(const struct probe *probe, const struct job *job, struct verdict *ret)
{
	const json_t *event;
	size_t index;

	json_array_foreach(json_object_get(job->answer, "events"), index, event)
	{
		const char *kind = json_string_value(json_object_get(event, "kind"));
		const char *detail = json_string_value(json_object_get(event, "detail"));

		if (kind != NULL && strcmp(kind, probe->detail) == 0) {
			verdict_say(ret, END_HELD, detail == NULL ? kind : detail);
			return;
		}
	}
	verdict_say(ret, END_ESCAPED, "nobody was told");
}

/* A job that could not leave anything behind says so itself. */
static void judge_gone(const struct target *target, const struct probe *probe,
		       const struct job *job, struct verdict *ret)
{
	uint64_t until = clock_mono_us() + GONE_MS * 1000;
	unsigned left;
	pid_t found[2];

	if (strcmp(job_text(job, "stdout"), "LEFT\n") != 0) {
		judge_words(probe, job, ret);
		return;
	}
	while ((left = process_find(target->host.mark, found)) > 0 && clock_mono_us() < until)
		pause_ms(LOOK_GAP_MS);
	verdict_say(ret, left > 0 ? END_ESCAPED : END_HELD,
		    left > 0 ? "it goes on after its job" : "it is gone");
}

static int look(const struct probe *probe, const char *mark, char *ret_saw, size_t size)
{
	uint64_t until = clock_mono_us() + LOOK_MS * 1000;
	pid_t jobs[2];

	while (process_find(mark, jobs) < 2) {
		if (clock_mono_us() > until)
			return -1;
		pause_ms(LOOK_GAP_MS);
	}
	if (probe->judge == JUDGE_NAMESPACE)
		return process_shares_namespace(jobs, probe->detail, ret_saw, size);
	if (probe->judge == JUDGE_CGROUP)
		return process_shares_cgroup(jobs, probe->detail, ret_saw, size);
	if (probe->judge == JUDGE_CORE)
		return process_shares_core(jobs, ret_saw, size);
	return process_shares_user(jobs, ret_saw, size);
}

/* Two jobs at once, looked at from outside while they sleep. */
static int attack_watched(struct target *target, const struct probe *probe, struct job *job,
			  struct verdict *ret, struct err *err)
{
	own_job other = {0};
	char saw[sizeof(ret->saw)] = "";
	int shared;
	int status = make_job(target, probe, probe->code, &other, err);

	if (status == 0)
		status = job_begin(job, err);
	if (status == 0)
		status = job_begin(&other, err);
	if (status < 0)
		return status;
	shared = look(probe, target->host.mark, saw, sizeof(saw));
	job_leave(job);
	job_leave(&other);
	if (shared < 0)
		verdict_say(ret, END_UNWITNESSED,
			    "the jobs' processes cannot be seen from here");
	else
		verdict_say(ret, shared > 0 ? END_ESCAPED : END_HELD, saw);
	return 0;
}

static int attack_beside(struct target *target, const struct probe *probe, struct job *job,
			 struct verdict *ret, struct err *err)
{
	own_job other = {0};
	int status = make_job(target, probe, probe->beside, &other, err);

	if (status == 0)
		status = job_begin(&other, err);
	if (status < 0)
		return status;
	job_wait_inside(&other, BESIDE_MS);
	status = job_run(job, &target->client, err);
	if (status < 0)
		return status;
	if (probe->judge != JUDGE_DIFFER) {
		bool was_alone = atomic_load(&other.is_over);

		job_leave(&other);
		judge_words(probe, job, ret);
		/* Where one job of a tenant waits for another there is none beside it. */
		if (was_alone && ret->end == END_HELD)
			verdict_say(ret, END_BROKEN, "the job beside it was over before");
		return 0;
	}
	status = job_wait(&other, err);
	if (status == 0)
		judge_difference(job, &other, ret);
	return status;
}

static int attack_alone(struct target *target, const struct probe *probe, struct job *job,
			struct verdict *ret, struct err *err)
{
	int status = 0;

	if (probe->before != NULL) {
		own_job earlier = {0};

		status = make_job(target, probe, probe->before, &earlier, err);
		if (status == 0)
			status = job_run(&earlier, &target->client, err);
		if (status == 0)
			status = job_run(job, &target->client, err);
		if (status == 0 && probe->judge == JUDGE_DIFFER) {
			judge_difference(job, &earlier, ret);
			return 0;
		}
	} else {
		status = job_run(job, &target->client, err);
	}
	if (status == 0 && probe->judge == JUDGE_EVENT)
		judge_event(probe, job, ret);
	else if (status == 0 && probe->judge == JUDGE_GONE)
		judge_gone(target, probe, job, ret);
	else if (status == 0)
		judge_words(probe, job, ret);
	return status;
}

static int attack_job(struct target *target, const struct probe *probe, struct verdict *ret,
		      struct err *err)
{
	own_job job = {0};
	int status = make_job(target, probe, probe->code, &job, err);

	if (status < 0)
		return status;
	if (probe->judge == JUDGE_NAMESPACE || probe->judge == JUDGE_CGROUP ||
	    probe->judge == JUDGE_USER || probe->judge == JUDGE_CORE)
		status = attack_watched(target, probe, &job, ret, err);
	else if (probe->beside != NULL)
		status = attack_beside(target, probe, &job, ret, err);
	else
		status = attack_alone(target, probe, &job, ret, err);
	if (status < 0)
		return status;
	return 0;
}

int attack(struct target *target, const struct probe *probe, struct verdict *ret,
	   struct err *err)
{
	const char *witness;
	int status;

	*ret = (struct verdict){.end = END_BROKEN};
	if (attack_is_interrupted)
		return err_set(err, EINTR, "interrupted");
	if (ferror(stdout) != 0)
		return err_set(err, EPIPE, "nobody reads what it says");
	host_mark(&target->host);
	if (probe->judge == JUDGE_HTTP || probe->judge == JUDGE_TLS)
		status = raw_attack(target, probe, ret, err);
	else
		status = attack_job(target, probe, ret, err);
	if (status == -ENODATA) {
		verdict_say(ret, END_UNWITNESSED,
			    "its witness would have to be on the service's host");
		return 0;
	}
	/* A service that answers with an error is not one that cannot be reached. */
	if (status == -EPROTO) {
		verdict_say(ret, END_BROKEN, err->text);
		return 0;
	}
	if (status < 0)
		return status;
	if (ret->end == END_HELD)
		name_layer(target, probe, ret);
	/* An honest gap: the service itself says that the layer is not there. */
	if (ret->end == END_ESCAPED && *probe->needs != '\0' &&
	    !has_layer(target, probe->needs, strlen(probe->needs)))
		ret->end = END_LACKING;
	witness = host_saw(&target->host);
	if (witness != NULL) {
		verdict_say(ret, END_ESCAPED, witness);
		ret->layer[0] = '\0';
	}
	return 0;
}
