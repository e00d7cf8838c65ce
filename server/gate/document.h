/*
 * server/gate/document.h - the JSON documents of the API, written from typed values. Nothing
 * here reads JSON; what comes as JSON from the ledger is put in as it is.
 */
#ifndef SERVER_GATE_DOCUMENT_H
#define SERVER_GATE_DOCUMENT_H

#include "base/buf.h"
#include "schema/wire/gate_ledger.h"

/* RFC 9457. Empty texts are left out, but for the detail, which is then the title; `errors` is
 * a JSON array or empty. */
struct problem_document {
	uint8_t problem;
	const char *detail;
	const char *hint;
	const char *instance; /* the request's path */
	const char *request_id;
	const char *errors;
	size_t errors_length;
};

void document_problem(struct buf *buf, const struct problem_document *problem);

/* An execution is head, the validator's members as they are, tail. The members are JSON members
 * without braces and without a comma at either end; they may be missing. */
void document_execution_head(struct buf *buf, const struct answer_execution *answer,
			     bool has_members);
void document_execution_tail(struct buf *buf, const struct answer_execution *answer);

/* `members` as for an execution; there are some. */
void document_validation(struct buf *buf, const char *members, size_t length,
			 const char *request_id);

/* As many as the ledger may tell of: 32 of the configuration, and as many that a reload
 * replaced. With less room the gate would drop a ledger that did nothing wrong. */
#define DOCUMENT_RUNTIMES_MAX 64

void document_runtimes(struct buf *buf, const struct tell_runtime *const *runtimes,
		       size_t count);
void document_capabilities(struct buf *buf, const struct tell_capabilities *capabilities);

/* {"status":"...","reason":null} */
void document_health(struct buf *buf, const char *status);

#endif
