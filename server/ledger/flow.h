/*
 * server/ledger/flow.h - what happens to an execution, and when.
 *
 *   CHECKING -> ACCEPTED -> RUNNING -> CANONICALIZING -> COMMITTING -> answered
 *
 * A validation is answered out of CHECKING. Code that its policy refuses goes from ACCEPTED to
 * COMMITTING: no worker hears of it. Every state has a deadline or waits only for this round's
 * commit. Whatever else can happen (cancelled, too late, a neighbour lost) is a row of the
 * table in flow.c, so that no pair of state and event is forgotten. Nothing runs before its
 * accepted record is written, and no answer leaves before its last record is on the disk.
 */
#ifndef SERVER_LEDGER_FLOW_H
#define SERVER_LEDGER_FLOW_H

#include "server/ledger/execution.h"

/* Milliseconds a validator may take over a request of the largest size, over an outcome. */
#define FLOW_CHECK_MS	     10000
#define FLOW_CANONICALIZE_MS 20000
/* Milliseconds until its files must be written; then it ends without those that are not. */
#define FLOW_KEEP_MS 10000
/* Milliseconds beyond queue and wall time until the warden must have answered: start, kill,
 * collecting the outcome, all under load. */
#define FLOW_RUN_GRACE_MS 15000
/* Milliseconds until a cancelled job must have ended. */
#define FLOW_CANCEL_MS 5000

enum flow_event {
	FLOW_CANCEL,	     /* the caller left, or the service stops */
	FLOW_LATE,	     /* the deadline of the state has passed */
	FLOW_VALIDATOR_LOST, /* the validator that has it is gone */
	FLOW_WARDEN_LOST,
	FLOW_EVENT_COUNT
};

void flow_event(struct execution *e, enum flow_event event);
void flow_deadline(struct loop *loop, struct timer *timer);
void flow_hashed(struct digest *digest);

/* Admitted: asks a validator as soon as it is its turn. */
void flow_check(struct execution *e, int take_body_fd, struct span *take_body);

/* Asks the validators that have room what waits for one. */
void flow_next_checks(struct ledger *ledger);

/* Answers of the neighbours. A late one, for a state that has passed, is dropped. A negative
 * return means the peer broke the protocol. */
nodiscard int flow_request_good(struct execution *e, const struct request_good *good,
				int take_payload_fd, int take_findings_fd, struct err *err);
nodiscard int flow_code_good(struct execution *e, const struct code_good *good,
			     int take_members_fd, struct err *err);
nodiscard int flow_request_bad(struct execution *e, const struct request_bad *bad,
			       int take_faults_fd, struct err *err);
void flow_job_done(struct execution *e, const struct job_done *done, int take_outcome_fd);
void flow_job_refused(struct execution *e, const struct job_refused *refused);
/* One file of the outcome that is to be kept; before flow_outcome_good(). */
nodiscard int flow_outcome_file(struct execution *e, const struct outcome_file *file,
				struct err *err);
nodiscard int flow_outcome_good(struct execution *e, const struct outcome_good *good,
				int take_members_fd, struct err *err);

/* In flow_files.c: how much may be kept of one execution; writes e->keep, and gives up. */
uint64_t flow_keep_bytes_max(const struct ledger *ledger);
void flow_keep_files(struct execution *e);
void flow_keep_late(struct execution *e);

/* Outcome, hashes and files may all be there now: then it is finished. */
void flow_canonicalized(struct execution *e);

/* Records that nothing ran, then answers so. */
void flow_refuse(struct execution *e, uint8_t problem, uint32_t retry_after_s, const char *hint,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Called by the round: the record of the state is written (or could not be). */
void flow_accepted(struct execution *e, bool is_written);
void flow_settled(struct execution *e, bool is_written);

#endif
