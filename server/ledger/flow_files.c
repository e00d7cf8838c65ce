/* The part of an execution's way on which its large result files are kept. See flow.h. */
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/ledger/flow.h"
#include "server/ledger/ledger.h"

uint64_t flow_keep_bytes_max(const struct ledger *ledger)
{
	const struct setup_ledger_config *config = &ledger->config.ledger;

	if (ledger->files.db.handle == NULL || config->retain_files_s == 0)
		return 0;
	return config->retain_files_bytes;
}

int flow_outcome_file(struct execution *e, const struct outcome_file *file, struct err *err)
{
	uint64_t kept = file->size;
	int status;

	if (e->state != EXECUTION_CANONICALIZING || e->members_fd >= 0 || e->outcome_fd < 0)
		return 0;
	for (size_t i = 0; i < e->keep.count; i++)
		kept += e->keep.list[i].size;
	if (kept > LIMIT_OUTCOME_BYTES)
		return err_set(err, EPROTO, "more files than an outcome holds");
	status = files_keep_add(&e->keep, file, err);
	/* Without memory for its name it cannot be fetched; that is all. */
	return status == -ENOMEM ? 0 : status;
}

static void kept(struct files_job *job, const struct err *err)
{
	struct files_keep *keep = (struct files_keep *)(void *)job;
	struct execution *e =
		(struct execution *)(void *)((char *)keep - offsetof(struct execution, keep));

	if (err != NULL)
		log_event(LOG_WARN, "files_not_kept", LOG_STR("execution", keep->execution_id),
			  LOG_INT("files", keep->count - keep->at),
			  LOG_STR("reason", err->text));
	files_keep_stop(keep);
	e->is_keeping = false;
	flow_canonicalized(e);
}

/* Before the answer leaves, so that an address in it leads to its file. */
void flow_keep_files(struct execution *e)
{
	struct files_keep *keep = &e->keep;

	if (keep->count == 0)
		return;
	memcpy(keep->execution_id, e->answer.execution_id, sizeof(keep->execution_id));
	memcpy(keep->tenant, e->entry.tenant, sizeof(keep->tenant));
	keep->expires_ms = clock_wall_ms() + e->ledger->config.ledger.retain_files_s * 1000ull;
	keep->bundle_fd = e->outcome_fd;
	keep->job.done = kept;
	e->is_keeping = true;
	loop_timer_start(&e->ledger->loop, &e->deadline, FLOW_KEEP_MS * 1000);
	files_keep_start(&e->ledger->files, keep);
}

/* The answer is not held up for ever: what is not written yet cannot be fetched. */
void flow_keep_late(struct execution *e)
{
	log_event(LOG_WARN, "files_not_kept", LOG_STR("execution", e->answer.execution_id),
		  LOG_STR("reason", "writing them takes too long"));
	files_keep_stop(&e->keep);
	e->is_keeping = false;
	flow_canonicalized(e);
}
