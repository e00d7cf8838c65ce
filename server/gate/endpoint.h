/*
 * server/gate/endpoint.h - the addresses of the service and what may be asked of them.
 */
#ifndef SERVER_GATE_ENDPOINT_H
#define SERVER_GATE_ENDPOINT_H

#include "server/gate/head.h"

enum listener {
	LISTENER_MAIN = 1,	/* behind mTLS, by way of the front */
	LISTENER_OPERATIONS = 2 /* plain HTTP for probes and metrics, no identity */
};

enum endpoint_action {
	ENDPOINT_EXECUTE,
	ENDPOINT_VALIDATE,
	ENDPOINT_EXECUTION,
	ENDPOINT_FILE, /* a kept result file */
	ENDPOINT_RUNTIMES,
	ENDPOINT_CAPABILITIES,
	ENDPOINT_OPENAPI,
	ENDPOINT_LIVEZ,
	ENDPOINT_READYZ,
	ENDPOINT_METRICS,
	ENDPOINT_SERVER, /* "*": the server as a whole */
	ENDPOINT_NONE,	 /* no such address */
	ENDPOINT_COUNT
};

struct endpoint {
	const char *path; /* as in metrics and the API description */
	const char *allow;
	unsigned methods; /* HTTP_* bits */
	unsigned listeners;
	bool is_json; /* Accept is looked at */
};

const struct endpoint *endpoint_of(enum endpoint_action action);

/* The address that `path` names on this listener, ENDPOINT_NONE when there is none. For
 * ENDPOINT_EXECUTION and ENDPOINT_FILE, `ret_id` is the checked id; for the latter, `ret_file`
 * is what follows, still escaped; otherwise they are empty. */
enum endpoint_action endpoint_find(struct text path, enum listener listener,
				   struct text *ret_id, struct text *ret_file);

/* Why a request is refused before anyone is asked. All texts are constants. */
struct endpoint_fault {
	uint8_t problem;
	const char *detail;
	const char *hint;
};

/* Judges everything but the identity: method, Accept, body type and size. */
bool endpoint_check(enum endpoint_action action, const struct head *head,
		    uint64_t body_bytes_max, struct endpoint_fault *ret_fault);

#endif
