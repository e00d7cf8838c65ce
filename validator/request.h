/*
 * validator/request.h - a request body becomes a typed job and its payload, or a list of
 * faults.
 *
 * The body is the attacker's. Order: JSON guard, schema, then what a schema cannot say (sizes
 * in bytes, base64, paths that clash, the tenant's ceilings). Each step sees only what passed
 * the one before.
 */
#ifndef VALIDATOR_REQUEST_H
#define VALIDATOR_REQUEST_H

#include "base/buf.h"
#include "schema/wire/ledger_validator.h"
#include "validator/faults.h"
#include "validator/schema.h"

/*
 * 0: `ret` is set and `payload` (empty before, limit LIMIT_PAYLOAD_BYTES) holds the bundle.
 * -EBADMSG: `ret_bad` and `faults` say why. Another negative errno: the service failed.
 */
nodiscard int request_check(const struct schema *schema, const char *body, size_t length,
			    const struct check_request *ask, struct request_good *ret,
			    struct buf *payload, struct request_bad *ret_bad,
			    struct faults *faults, struct err *err);

#endif
