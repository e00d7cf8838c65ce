/*
 * tests/unit/validator/support.h - schemas loaded from the checkout, JSON from literals, and a
 * request or an outcome checked in one call. Tests run from the top of the checkout.
 */
#ifndef TESTS_UNIT_VALIDATOR_SUPPORT_H
#define TESTS_UNIT_VALIDATOR_SUPPORT_H

#include "base/buf.h"
#include "schema/wire/ledger_validator.h"
#include "validator/catalog.h"
#include "validator/json_guard.h"

/* The schemas of schema/v1, loaded once per process. */
const struct catalog *support_catalog(void);

/* The installed policies, complete, loaded once per process. */
json_t *support_policies(void);

/* A document from JSON text with ' for ", so that literals stay readable. */
json_t *support_json(const char *text);

/* ' becomes "; the caller frees. */
char *support_quotes(const char *text);

/* The whole file, or NULL. */
char *support_read(const char *path, size_t *ret_length);

/* A request with ' for ", under `ask` (NULL: a tenant "dev" with the hard maxima). */
struct checked {
	int status;
	struct request_good good;
	struct request_bad bad;
	struct faults faults;
	struct buf payload;
};
struct checked *support_request(const char *text, const struct check_request *ask);
struct checked *support_request_bytes(const char *text, size_t length,
				      const struct check_request *ask);
void checked_free(struct checked *checked);

struct check_request support_ask(void);

/* True when some fault has this pointer and rule. */
bool has_fault(const struct faults *faults, const char *pointer, const char *rule);

/* The answer's members of an outcome bundle as a JSON object. */
json_t *support_outcome(const struct check_outcome *ask, const struct buf *bundle);

#endif
