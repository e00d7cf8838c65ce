#include "sandbox/warden/job.h"

#include <inttypes.h>

#include "base/clock.h"
#include "schema/bundle.h"

int job_check(const struct job_start *start, const struct setup_warden_config *config,
	      struct err *err)
{
	const struct {
		const char *name;
		uint64_t value, low, high;
	} limits[] = {
		{"wall_ms", start->wall_ms, LIMIT_WALL_MS_MIN, LIMIT_WALL_MS_MAX},
		{"cpu_ms", start->cpu_ms, LIMIT_CPU_MS_MIN, LIMIT_CPU_MS_MAX},
		{"memory_bytes", start->memory_bytes, LIMIT_MEMORY_BYTES_MIN,
		 config->memory_bytes_max},
		{"output_bytes", start->output_bytes, LIMIT_OUTPUT_BYTES_MIN,
		 LIMIT_OUTPUT_BYTES_MAX},
		{"processes", start->processes, LIMIT_PROCESSES_MIN, config->processes_max},
		{"open_files", start->open_files, LIMIT_OPEN_FILES_MIN, config->open_files_max},
		{"workspace_bytes", start->workspace_bytes, LIMIT_WORKSPACE_BYTES_MIN,
		 LIMIT_WORKSPACE_BYTES_MAX},
	};

	for (size_t i = 0; i < ARRAY_COUNT(limits); i++)
		if (limits[i].value < limits[i].low || limits[i].value > limits[i].high)
			return err_set(
				err, ERANGE,
				"%s is %" PRIu64 ", the warden allows %" PRIu64 " to %" PRIu64,
				limits[i].name, limits[i].value, limits[i].low, limits[i].high);
	return 0;
}

static int payload_check(const struct span *payload, struct err *err)
{
	struct bundle_reader reader;
	struct bundle_entry entry;
	uint16_t kind = 0;
	int status;

	bundle_reader_init(&reader, payload);
	while ((status = bundle_next(&reader, &entry, err)) > 0) {
		if ((kind == 0) != (entry.kind == BUNDLE_CODE) ||
		    !bundle_is_payload(entry.kind))
			return err_set(err, EBADMSG, "entry of kind %u does not belong here",
				       entry.kind);
		kind = entry.kind;
	}
	if (status == 0 && kind == 0)
		return err_set(err, EBADMSG, "the payload holds no code");
	return status;
}

int job_new(struct warden *warden, uint64_t id, const struct job_start *start,
	    int take_payload_fd, struct job **ret, struct err *err)
{
	own_fd payload_fd = take_payload_fd;
	own_span payload = {.data = ""};
	struct job *job;
	int status = memfd_map(payload_fd, LIMIT_PAYLOAD_BYTES, &payload, err);

	if (status == 0)
		status = payload_check(&payload, err);
	if (status < 0) {
		err_ignore(err_prefix(err, "payload"), "the status is passed on");
		return status;
	}
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return err_errno(err, ENOMEM, "a job");
	job->warden = warden;
	job->id = id;
	job->start = *start;
	job->payload_fd = fd_take(&payload_fd);
	job->payload = payload;
	payload = (struct span){.data = ""};
	job->accepted_us = clock_mono_us();
	job->queue_timer.owner = job;
	job->files.fd = -1;
	*ret = job;
	return 0;
}

void job_free(struct job *job)
{
	if (job == NULL)
		return;
	span_done(&job->payload);
	fd_drop(&job->payload_fd);
	buf_done(&job->report);
	fd_drop(&job->files.fd);
	free(job);
}

void job_queue_add(struct job_queue *queue, struct job *job)
{
	job->next = NULL;
	job->previous = queue->last;
	if (queue->last != NULL)
		queue->last->next = job;
	else
		queue->first = job;
	queue->last = job;
	queue->length++;
}

void job_queue_add_first(struct job_queue *queue, struct job *job)
{
	job->previous = NULL;
	job->next = queue->first;
	if (queue->first != NULL)
		queue->first->previous = job;
	else
		queue->last = job;
	queue->first = job;
	queue->length++;
}

void job_queue_remove(struct job_queue *queue, struct job *job)
{
	if (job->previous != NULL)
		job->previous->next = job->next;
	else
		queue->first = job->next;
	if (job->next != NULL)
		job->next->previous = job->previous;
	else
		queue->last = job->previous;
	job->next = NULL;
	job->previous = NULL;
	queue->length--;
}

struct job *job_queue_find(const struct job_queue *queue, uint64_t id)
{
	struct job *job = queue->first;

	while (job != NULL && job->id != id)
		job = job->next;
	return job;
}

struct job *job_queue_first_for(const struct job_queue *queue, const struct runtime *runtime)
{
	struct job *job = queue->first;

	while (job != NULL && job->runtime != runtime)
		job = job->next;
	return job;
}
