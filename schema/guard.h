/*
 * schema/guard.h - what a policy lets Python code import and call, on its way from the
 * validator, which read the code, to the worker, which runs it: the second lock, for names that
 * come to be only at run time. It is the data of one BUNDLE_GUARD entry.
 *
 * Layout, little-endian: u8 policies, then for each its name (u8 bytes, text) and two lists,
 * modules and functions: u8 whether a name in no entry is denied, u32 entries, and each entry:
 * u8 whether it is denied, u16 bytes, text. Entries ascend strictly, so that a reader need not
 * sort. Code must satisfy every policy.
 */
#ifndef SCHEMA_GUARD_H
#define SCHEMA_GUARD_H

#include "base/buf.h"
#include "schema/limits.h"
#include "schema/name_list.h"

enum guard_topic { GUARD_MODULES, GUARD_FUNCTIONS, GUARD_TOPICS };

struct guard_policy {
	const char *name; /* borrowed, not NUL-terminated */
	size_t name_length;
	struct name_list names[GUARD_TOPICS];
};

struct guard {
	struct guard_policy policies[LIMIT_GUARD_POLICIES];
	size_t count;
	struct name_entry *entries; /* owned; those of all lists. NULL: somebody else's */
};

/* Which policy denies a name, and by what. */
struct guard_denial {
	const struct guard_policy *policy;
	const struct name_entry *entry; /* NULL: no list names it, and the default denies */
};

void guard_encode(const struct guard *guard, struct buf *buf);

/* The texts stay those of `data`, which must outlive the guard. 0, -EBADMSG or -ENOMEM. */
nodiscard int guard_decode(const void *data, size_t length, struct guard *ret, struct err *err);
void guard_done(struct guard *guard);

/* The first policy that denies the dotted name; false: none does. */
bool guard_denies(const struct guard *guard, enum guard_topic topic, const char *name,
		  size_t length, struct guard_denial *ret);

#endif
