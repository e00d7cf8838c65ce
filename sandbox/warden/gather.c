#include "sandbox/warden/gather.h"

#include "sandbox/warden/collect.h"
#include "sandbox/warden/ending.h"
#include "sandbox/warden/warden.h"
#include "schema/bundle.h"

/* At once: each holds its files twice, in memory and in a memfd. */
#define GATHERS_MAX 2

static uint64_t count_files(const struct buf *files)
{
	struct span span = {.data = files->data, .length = files->length};
	struct bundle_reader reader;
	struct bundle_entry entry;
	uint64_t count = 0;

	bundle_reader_init(&reader, &span);
	while (bundle_next(&reader, &entry, NULL) > 0)
		count++;
	return count;
}

static int begin_outcome(const struct buf *files, int *ret_fd, struct err *err)
{
	int status = buf_check(files, err);

	if (status < 0 || files->length == 0)
		return status;
	status = memfd_new("outcome", ret_fd, err);
	return status == 0 ? memfd_add(*ret_fd, files->data, files->length, err) : status;
}

static void read_aside(void *context)
{
	struct slot *slot = context;
	struct job_files *read = &slot->job->files;
	own_buf files;

	buf_init(&files, LIMIT_OUTCOME_BYTES);
	read->is_truncated = false;
	read->status =
		collect_files(slot->workspace_fd, &slot->job->payload, read->budget_bytes,
			      &files, &read->is_truncated, &read->err);
	if (read->status == 0)
		read->status = begin_outcome(&files, &read->fd, &read->err);
	read->count = count_files(&files);
}

void gather_now(struct slot *slot, uint64_t budget_bytes)
{
	slot->job->files.budget_bytes = budget_bytes;
	read_aside(slot);
	slot->job->files.is_done = true;
}

static void gathered(void *context)
{
	struct slot *slot = context;
	struct warden *warden = slot->warden;
	unsigned first = slot->index + 1;

	slot->is_gathering = false;
	slot->job->files.is_done = true;
	warden->gathering--;
	ending_look_again(slot);
	/* In turns, beginning behind this one. */
	for (unsigned i = 0; i < warden->slot_count; i++) {
		slot = &warden->slots[(first + i) % warden->slot_count];
		if (slot->waits_to_gather)
			ending_look_again(slot);
	}
}

bool gather_begin(struct slot *slot, uint64_t budget_bytes)
{
	struct warden *warden = slot->warden;

	if (slot->is_gathering)
		return true;
	slot->waits_to_gather = false;
	if (slot->job->files.is_done || slot->job->is_orphan || slot->aside == NULL ||
	    aside_is_busy(slot->aside) || collect_is_empty(slot->workspace_fd))
		return false;
	/* It has ended: no limit is there to be watched any more. */
	loop_timer_stop(&warden->loop, &slot->step_timer);
	loop_timer_stop(&warden->loop, &slot->cpu_timer);
	if (warden->gathering >= GATHERS_MAX) {
		slot->waits_to_gather = true;
		return true;
	}
	slot->is_gathering = true;
	warden->gathering++;
	slot->job->files.budget_bytes = budget_bytes;
	aside_begin(slot->aside, read_aside, gathered, slot);
	return true;
}
