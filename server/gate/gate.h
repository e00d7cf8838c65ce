/*
 * server/gate/gate.h - the state of the gate process: one struct gate, one struct conn a
 * caller.
 *
 * Life of a request: bytes -> head_scan, head_parse -> endpoint_check -> body into a memfd ->
 * question to the ledger -> document -> engine (libmicrohttpd) -> bytes. The gate holds no
 * secret and no right: stolen, it can ask the ledger, as an identity the front has vouched for.
 */
#ifndef SERVER_GATE_GATE_H
#define SERVER_GATE_GATE_H

#include "base/buf.h"
#include "base/chan.h"
#include "base/memfd.h"
#include "schema/wire/front_gate.h"
#include "schema/wire/gate_ledger.h"
#include "schema/wire/setup.h"
#include "server/gate/caller.h"
#include "server/gate/deadline.h"
#include "server/gate/document.h"
#include "server/gate/endpoint.h"
#include "server/gate/head.h"
#include "server/gate/metrics.h"

struct file_request;
struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

/* Connections of the operations listener: probes and one or two scrapers. They have their own
 * share, so that callers cannot shut the probes out. */
#define GATE_OPERATIONS_MAX 64
#define GATE_SLOTS	    (65536 + GATE_OPERATIONS_MAX)

#define GATE_NUMBER_BUCKETS 4096 /* the front's numbers follow one another */

/* Bytes read from a caller at once; held back are at most a partial head and one read. */
#define GATE_READ_BYTES	   (size_t)(128 << 10)
#define GATE_SCRATCH_BYTES (HEAD_BYTES_MAX + GATE_READ_BYTES)

/* An answer is taken at 16 KiB/s at least, measured over each body_ms: slow lines pass, someone
 * who holds the answer's memory with one byte a second does not. */
#define GATE_ANSWER_RATE_MIN 16384

#define GATE_LINGER_MS	 2000	    /* for the caller to read a refusal while still sending */
#define GATE_ASK_MS	 5000	    /* the ledger answers look-ups in microseconds */
#define GATE_OPENAPI_MAX (4u << 20) /* bytes of openapi.json; it has about 60 KiB */

enum conn_state {
	CONN_HEAD,   /* waits for, or reads, a head */
	CONN_BODY,   /* collects the body */
	CONN_ASKED,  /* the ledger has the question */
	CONN_ANSWER, /* the engine writes the answer */
	CONN_LINGER  /* answered and closed on our side; what still comes is dropped */
};

enum conn_ask {
	ASK_NOTHING,
	ASKED_EXECUTE,
	ASKED_VALIDATE,
	ASKED_EXECUTION,
	ASKED_VIEW,
	ASKED_METRICS,
	ASKED_FILE
};

#define REQUEST_PATH_MAX 1024

/* What outlives the bytes of the head. */
struct request {
	enum endpoint_action action;
	enum http_method method;
	bool is_http10;
	bool is_kept;
	uint64_t started_us;		 /* first byte */
	char path[REQUEST_PATH_MAX + 1]; /* cut: for problem documents */
	char execution_id[LIMIT_ID_CHARS + 1];
	char request_id[LIMIT_REQUEST_ID_BYTES + 1];
	char traceparent[LIMIT_TRACEPARENT_BYTES + 1];
};

struct conn {
	struct gate *gate;
	uint32_t slot;
	uint64_t number; /* the front's; 0: none */
	struct conn *next_by_number;
	enum conn_state state;
	enum listener listener;
	struct front_connection who; /* from the front; nothing in a request changes it */
	struct caller *caller;	     /* NULL on the operations listener */
	struct watch outer;	     /* the caller's stream */
	struct watch inner;	     /* our end of the engine's stream */
	int outer_fd;
	int inner_fd;
	struct buf held;   /* received, not yet read */
	struct buf unsent; /* answered, not yet taken by the caller */
	size_t unsent_at;
	struct head_scan scan;
	struct request request;
	struct file_request *file; /* owned; of this request */
	int body_fd;
	uint64_t body_left;
	uint64_t body_kept;   /* bytes in body_fd, counted as the caller's */
	uint64_t answer_kept; /* bytes of a large answer, counted likewise */
	enum conn_ask ask;
	uint64_t ask_id;
	struct MHD_Response *response; /* from the answer until the engine has queued it */
	unsigned status;
	uint64_t sent_bytes; /* of this answer since the deadline was set */
	struct deadline deadline;
	struct conn *next_touched;
	struct conn *next_dead;
	bool is_touched;  /* is on the list of those the engine worked for */
	bool has_engine;  /* the engine still knows this connection */
	bool is_answered; /* the engine has written the whole answer */
	bool is_muted;	  /* readable, but it is not its turn */
	bool has_hung_up; /* the caller will send nothing more */
	bool is_counted;  /* in requests_in_flight */
	bool is_dead;	  /* freed once the engine has let go */
};

struct gate {
	struct loop loop;
	struct chan setup;
	struct chan front;
	struct callers callers;
	uint64_t front_link; /* the supervisor's number of that channel */
	struct chan ledger;
	struct deadlines deadlines;
	struct MHD_Daemon *daemon;
	struct timer pump_timer;
	struct conn *touched; /* by the engine, in this round */
	struct conn *dead;
	bool is_engine_due; /* the engine has something to read, to write or to close */

	struct setup_hello hello;
	struct setup_gate_config config;
	struct watch operations;
	int operations_fd;
	struct span openapi;

	/* Received before COMMIT, applied by it. */
	struct setup_gate_config next_config;
	int next_operations_fd;
	struct span next_openapi;
	int next_front_fd;
	uint64_t next_front_link;
	int next_ledger_fd;
	bool has_hello;
	bool has_next_config;
	bool is_committed;
	uint64_t descriptors_max; /* RLIMIT_NOFILE, raised before confinement */

	bool is_draining;
	struct timer drain_timer;

	/* What the ledger last said. */
	struct tell_state state;
	struct tell_capabilities capabilities;
	struct tell_runtime *runtimes[DOCUMENT_RUNTIMES_MAX];
	size_t runtime_count;

	struct metrics metrics;
	uint32_t ask_count;
	struct conn **conns; /* GATE_SLOTS pointers */
	struct conn *by_number[GATE_NUMBER_BUCKETS];
	uint32_t conns_next; /* where the search for a free slot begins */
	char *scratch;	     /* GATE_SCRATCH_BYTES, for one callback at a time */
};

/* Memory, loop and engine; before confinement. */
nodiscard int gate_init(struct gate *gate, struct err *err);

/* gate_setup.c: serves the set-up channel on descriptor `setup_fd` (consumed). */
nodiscard int setup_open(struct gate *gate, int setup_fd, struct err *err);
/* Ends the drain when nothing is left to finish. Called after each round. */
void setup_check_drained(struct gate *gate);
/* Tells the supervisor that the channel to the front has ended. */
void setup_say_front_lost(struct gate *gate);

/* gate_front.c */
nodiscard int front_open(struct gate *gate, uint64_t link, int take_fd, struct err *err);
nodiscard int operations_open(struct gate *gate, int take_fd, struct err *err);

/* gate_state.c: true when executions are taken; else the problem, and why in a few words. */
bool gate_is_ready(const struct gate *gate, uint8_t *ret_problem, const char **ret_reason);

#endif
