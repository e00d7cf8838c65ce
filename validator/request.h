/*
 * validator/request.h - a request body becomes a document, the document a typed job and its
 * payload; or either a list of faults.
 *
 * The body is the attacker's. Order: JSON guard, schema, then what a schema cannot say (sizes
 * in bytes, base64, paths that clash, the tenant's ceilings). Each step sees only what passed
 * the one before.
 */
#ifndef VALIDATOR_REQUEST_H
#define VALIDATOR_REQUEST_H

#include <jansson.h>

#include "base/buf.h"
#include "schema/wire/ledger_validator.h"
#include "validator/faults.h"
#include "validator/schema.h"

/* Guard and schema. 0: `*ret` is the caller's. -EBADMSG: `ret_bad` and `faults` say why.
 * Another negative errno: the service failed. */
nodiscard int request_read(const struct schema *schema, const char *body, size_t length,
			   json_t **ret, struct request_bad *ret_bad, struct faults *faults,
			   struct err *err);

/* The rest, of a document that request_read() has passed. 0: `ret` is set, but for the verdict
 * on its code, and `payload` (empty before, limit LIMIT_PAYLOAD_BYTES) holds the bundle.
 * Otherwise as above. */
nodiscard int request_check(json_t *document, const struct check_request *ask,
			    struct request_good *ret, struct buf *payload,
			    struct request_bad *ret_bad, struct faults *faults,
			    struct err *err);

/* Sums the faults up for the problem document; returns -EBADMSG. There is one at least. */
int request_refuse(enum problem problem, const struct faults *faults, struct request_bad *ret);

#endif
