/*
 * server/ledger/execution.h - one execution on its way through the service, and the set of
 * them.
 */
#ifndef SERVER_LEDGER_EXECUTION_H
#define SERVER_LEDGER_EXECUTION_H

#include "schema/wire/ledger_warden.h"
#include "server/ledger/config.h"
#include "server/ledger/files.h"
#include "server/ledger/record.h"

struct ledger;
struct validator;

enum execution_state {
	EXECUTION_CHECKING,	  /* a validator has the request */
	EXECUTION_ACCEPTED,	  /* the record waits for this round's commit */
	EXECUTION_RUNNING,	  /* the warden has the job */
	EXECUTION_CANONICALIZING, /* a validator has the outcome */
	EXECUTION_COMMITTING,	  /* the last record waits for this round's commit */
	EXECUTION_UNSETTLED,	  /* it could not be written; waits for the database */
	EXECUTION_STATE_COUNT
};

/* A record that waits for a commit. Texts are copied: what it tells of may be gone by then. */
struct entry {
	struct entry *next;
	enum record_kind kind;
	uint64_t time_ms;
	char execution_id[LIMIT_ID_CHARS + 1];
	char tenant[LIMIT_NAME_BYTES + 1];
	char principal[LIMIT_IDENTITY_BYTES + 1];
	struct buf body;
	struct execution *execution; /* NULL: nobody waits, the entry is freed when written */
};

/* Why nothing ran, for the answer. */
struct refusal {
	uint8_t problem;
	uint32_t retry_after_s;
	char detail[LIMIT_DETAIL_BYTES + 1];
	char hint[LIMIT_DETAIL_BYTES + 1];
};

struct execution {
	struct execution *next_by_number;
	struct execution *next_by_ask;
	struct execution *next, *previous; /* all of them */
	struct ledger *ledger;
	uint64_t number; /* message id towards validators and warden, never used twice */
	uint64_t ask_id; /* message id of the gate's question */
	enum execution_state state;
	bool is_validation; /* its code is judged, and that is all: nothing runs, nothing is on
			       record */
	bool has_caller;    /* somebody waits for the answer */
	bool is_cancelled;  /* asked to end early */
	bool is_accepted;   /* its accepted record is written */
	bool has_slot;	    /* counts in tenant->running */
	struct tenant *tenant;
	char policy[LIMIT_NAME_BYTES + 1];
	struct ask_execute ask;
	struct request_good request; /* with the limits as granted */
	struct job_done job;
	struct answer_execution answer;
	struct refusal refusal;
	struct validator *validator;			   /* has a check of it */
	struct execution *next_waiting, *previous_waiting; /* of ledger->waiting */
	bool is_waiting;				   /* for a validator to have room */
	bool is_checked;				   /* the validator has spoken */
	bool is_outcome_asked; /* a validator has the outcome, or had */
	bool is_keeping;       /* its files are being written */
	struct files_keep keep;
	int body_fd; /* owned: until a validator has it; -1 */
	int payload_fd, findings_fd, outcome_fd, members_fd, faults_fd; /* owned; -1: none */
	struct digest body_digest, payload_digest, findings_digest, members_digest;
	uint8_t code_sha256[DIGEST_BYTES];
	struct span body, payload; /* owned: mapped while they are hashed */
	struct span findings;	   /* owned: mapped until it is finished */
	struct span members;	   /* owned: mapped until it is written */
	uint64_t asked_us, hop_us;
	struct timer deadline;
	struct entry entry;
};

#define EXECUTION_BUCKETS 4096 /* about as many as may be under way at once */

struct executions {
	struct execution *by_number[EXECUTION_BUCKETS];
	struct execution *by_ask[EXECUTION_BUCKETS];
	struct execution *first;
	size_t count;
	uint64_t last_number;
};

/* Numbers go on where no earlier life of the process can have been: a neighbour that outlived
 * it may still answer what that one asked. */
void executions_init(struct executions *set);

/* A new execution in state CHECKING with the gate's question; NULL without memory. */
struct execution *execution_new(struct ledger *ledger, uint64_t ask_id,
				const struct ask_execute *ask);

/* Releases everything it holds. */
void execution_free(struct execution *e);

struct execution *execution_by_number(struct executions *set, uint64_t number);
struct execution *execution_by_ask(struct executions *set, uint64_t ask_id);
/* NULL: there was none, or it is settled. */
const struct execution *execution_by_id(const struct executions *set, const char *execution_id);

/* The caller is gone or has been answered: the gate may use its number again. */
void execution_forget_caller(struct execution *e);

/* Gives back the tenant's slot. */
void execution_release_slot(struct execution *e);

#endif
