/*
 * validator/verdict.h - what rules and policies say of the code of one request.
 *
 * A request may bring a policy along, by name or as a document. It stands on top of the one
 * that its caller's principal has: code must satisfy both, so it can only take away.
 */
#ifndef VALIDATOR_VERDICT_H
#define VALIDATOR_VERDICT_H

#include "base/jsonw.h"
#include "validator/rulebook.h"

struct verdict {
	/* The effective policy: all that is decided about this request's code, here or later,
	 * is asked of it and of nothing else. */
	const struct policy *policy;
	struct policy *joined, *own; /* owned: what of it is this request's alone */
	struct code_findings findings;
	bool is_rejected;
};

/* Finds the effective policy for `document`, a request that its schema has passed; the document
 * and the rulebook outlive the verdict. 0; -EBADMSG: `faults` says why; -ENOENT: there is no
 * policy `name`; -ENOMEM. Afterwards the verdict is to be given to done() in any case. */
nodiscard int verdict_begin(struct verdict *verdict, const struct rulebook *rulebook,
			    const char *name, json_t *document, struct faults *faults,
			    struct err *err);

/* Judges the document's code. A language without rules is judged by the policy's sizes alone,
 * and is refused where the policy refuses what cannot be parsed. 0 or -ENOMEM. */
nodiscard int verdict_reach(struct verdict *verdict, const struct rulebook *rulebook,
			    const json_t *document, struct err *err);

/* Findings by severity; room for SEVERITY_MAX + 1. */
void verdict_count(const struct verdict *verdict, uint64_t *ret);

void verdict_done(struct verdict *verdict);

#define own_verdict __attribute__((cleanup(verdict_done))) struct verdict

#endif
