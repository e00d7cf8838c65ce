/*
 * validator/report.h - what a worker says about its own end. After the job ran, every byte of
 * it may be the job's: it is checked like a request, and whatever is wrong harms that job only.
 */
#ifndef VALIDATOR_REPORT_H
#define VALIDATOR_REPORT_H

#include <jansson.h>

#include "validator/faults.h"
#include "validator/schema.h"

struct report {
	json_t *document; /* owned; NULL: there was none */
	const char *name; /* of the error; NULL: no error. All point into the document. */
	const char *message;
	const char *traceback; /* NULL: none */
	const char *result;    /* NULL: none */
	const json_t *denials; /* an array, or NULL */
	uint64_t denials_dropped;
};

/* 0 (an empty text is an empty report), -EBADMSG with a fault, or -ENOMEM. */
nodiscard int report_parse(const struct schema *schema, const char *text, size_t length,
			   struct report *ret, struct faults *faults);

void report_done(struct report *report);

/* Bytes of `text` within the first `most` characters. */
size_t report_cut(const char *text, size_t most);

#endif
