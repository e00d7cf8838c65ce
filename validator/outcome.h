/*
 * validator/outcome.h - what a job left behind becomes the JSON members of its answer.
 *
 * The bundle comes from the warden, its content from the job. Nothing in it can make this fail:
 * what cannot be said as it is gets replaced by an error that says so, and the worst a job
 * achieves is a useless answer to its own caller.
 */
#ifndef VALIDATOR_OUTCOME_H
#define VALIDATOR_OUTCOME_H

#include <openssl/types.h>

#include "base/buf.h"
#include "base/memfd.h"
#include "schema/wire/ledger_validator.h"
#include "validator/schema.h"

/* Kept from one outcome to the next, because fetching an algorithm costs more than a small job.
 */
/* A file whose content is not inline and that the ledger is to keep. */
struct outcome_kept {
	const char *path; /* into the bundle, not NUL-terminated */
	size_t path_length;
	uint64_t offset; /* of the content in the bundle */
	uint64_t size;
	uint8_t sha256[32];
};

struct outcome_writer {
	const struct schema *report_schema; /* borrowed */
	EVP_MD *sha256;
	EVP_MD_CTX *digest;
	struct faults *faults;
	struct outcome_kept *kept; /* of the last outcome; room for LIMIT_FILES */
	size_t kept_count;
	uint64_t policy_denied; /* in the last outcome */
};

nodiscard int outcome_writer_init(struct outcome_writer *writer, const struct schema *report,
				  struct err *err);
void outcome_writer_done(struct outcome_writer *writer);

/* Appends the members without braces to `members` (limit LIMIT_FRAGMENT_BYTES). Fails only when
 * memory does. */
nodiscard int outcome_write(struct outcome_writer *writer, const struct check_outcome *ask,
			    const struct span *bundle, struct buf *members, struct err *err);

#endif
