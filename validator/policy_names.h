/*
 * validator/policy_names.h - an allow and a deny list of dotted names, ready to be asked.
 */
#ifndef VALIDATOR_POLICY_NAMES_H
#define VALIDATOR_POLICY_NAMES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"

struct policy_entry {
	const char *name; /* borrowed from the document */
	size_t length;
	bool is_denied;
};

/* Sorted by name; zeroed: everything is allowed. */
struct policy_names {
	struct policy_entry *entries; /* owned */
	size_t count;
	bool is_denied; /* a name in neither list */
};

/* `list` is {default, allow, deny} or NULL and must outlive the names. 0 or -ENOMEM. */
nodiscard int policy_names_load(const json_t *list, struct policy_names *ret);
void policy_names_done(struct policy_names *names);

/* The entry that decides about `name`, or NULL: the default does. */
const struct policy_entry *policy_names_find(const struct policy_names *names,
					     const char *name);

#endif
