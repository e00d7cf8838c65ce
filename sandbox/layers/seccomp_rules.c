#include "sandbox/layers/seccomp_rules.h"

#include <asm/ioctls.h>
#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "schema/events.h"

/* The bits that make a new namespace by clone(2). CLONE_NEWTIME is a signal number there. */
#define CLONE_NAMESPACES                                                            \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | \
	 CLONE_NEWUTS | CLONE_NEWCGROUP)
/* A sibling instead of a child would be a child of the warden; a pidfd reaches other calls. */
#define CLONE_STRANGE (CLONE_PARENT | CLONE_PTRACE | CLONE_UNTRACED | CLONE_PIDFD)

/* The operation of futex(2) without its two flags. */
#define FUTEX_OPERATION 0xfffffe7fu

/* The kind of a socket without its two flags. */
#define SOCKET_KIND (0xffffffffu & ~(unsigned)(SOCK_CLOEXEC | SOCK_NONBLOCK))

#define INT_IS(n, value) INT_BITS(n, 0xffffffffu, value)
#define INT_BITS(n, mask, value)                                   \
	{                                                          \
		(n), SCMP_CMP_MASKED_EQ, (mask), (uint32_t)(value) \
	}
#define LONG_IS(n, value)                    \
	{                                    \
		(n), SCMP_CMP_EQ, (value), 0 \
	}
#define LONG_BITS(n, mask, value)                        \
	{                                                \
		(n), SCMP_CMP_MASKED_EQ, (mask), (value) \
	}

#define LONG_NOT(n, value)                   \
	{                                    \
		(n), SCMP_CMP_NE, (value), 0 \
	}

#define RULE(call, verdict_, why_, kind_, mild) \
	{.number = SCMP_SYS(call),              \
	 .verdict = (verdict_),                 \
	 .name = #call,                         \
	 .why = (why_),                         \
	 .conds_text = "",                      \
	 .kind = (kind_),                       \
	 .is_mild = (mild)},
#define RULE_IF(call, verdict_, why_, kind_, mild, text, ...)                     \
	{.number = SCMP_SYS(call),                                                \
	 .verdict = (verdict_),                                                   \
	 .cond_count = ARRAY_COUNT(((const struct scmp_arg_cmp[]){__VA_ARGS__})), \
	 .conds = {__VA_ARGS__},                                                  \
	 .name = #call,                                                           \
	 .why = (why_),                                                           \
	 .conds_text = (text),                                                    \
	 .kind = (kind_),                                                         \
	 .is_mild = (mild)},

#define ALLOW(name, why) RULE(name, SECCOMP_PASS, why, 0, false)
#define ALLOW_IF(name, why, ...) \
	RULE_IF(name, SECCOMP_PASS, why, 0, false, #__VA_ARGS__, __VA_ARGS__)
#define DENY(name, kind, why)	   RULE(name, SECCOMP_DENY, why, EVENT_##kind, false)
#define DENY_MILD(name, kind, why) RULE(name, SECCOMP_DENY, why, EVENT_##kind, true)
#define DENY_IF(name, kind, why, ...) \
	RULE_IF(name, SECCOMP_DENY, why, EVENT_##kind, false, #__VA_ARGS__, __VA_ARGS__)
#define DENY_MILD_IF(name, kind, why, ...) \
	RULE_IF(name, SECCOMP_DENY, why, EVENT_##kind, true, #__VA_ARGS__, __VA_ARGS__)
#define OBSERVE(name, kind, why) RULE(name, SECCOMP_OBSERVE, why, EVENT_##kind, false)
#define PRETEND(name, why)	 RULE(name, SECCOMP_PRETEND, why, 0, false)
#define ABSENT(name, why)	 RULE(name, SECCOMP_ABSENT, why, 0, false)

/* C knows no empty table, and a list may have nothing of its own. */
#define END                  \
	{                    \
		.number = -1 \
	}
#define COUNT(rules) (ARRAY_COUNT(rules) - 1)

static const struct seccomp_rule base_rules[] = {
#include "sandbox/seccomp/base.def"
	END};

static const struct seccomp_rule python_rules[] = {
#include "sandbox/seccomp/python.def"
	END};

static const struct seccomp_rule javascript_rules[] = {
#include "sandbox/seccomp/javascript.def"
	END};

static const struct seccomp_rule bash_rules[] = {
#include "sandbox/seccomp/bash.def"
	END};

static const struct seccomp_rule c_rules[] = {
#include "sandbox/seccomp/c.def"
	END};

static const struct seccomp_rule landlock_rules[] = {
#include "sandbox/seccomp/landlock.def"
	END};

static const struct seccomp_rule shared_uid_rules[] = {
#include "sandbox/seccomp/shared_uid.def"
	END};

static const struct seccomp_rule no_processes_rules[] = {
#include "sandbox/seccomp/no_processes.def"
	END};

static const struct seccomp_rule init_rules[] = {
#include "sandbox/seccomp/init.def"
	END};

static const struct {
	const struct seccomp_rule *rules;
	size_t count;
} own_rules[SECCOMP_LISTS] = {
	[SECCOMP_LIST_PYTHON] = {python_rules, COUNT(python_rules)},
	[SECCOMP_LIST_JAVASCRIPT] = {javascript_rules, COUNT(javascript_rules)},
	[SECCOMP_LIST_BASH] = {bash_rules, COUNT(bash_rules)},
	[SECCOMP_LIST_C] = {c_rules, COUNT(c_rules)},
	[SECCOMP_LIST_INIT] = {init_rules, COUNT(init_rules)},
	[SECCOMP_LIST_LANDLOCK] = {landlock_rules, COUNT(landlock_rules)},
	[SECCOMP_LIST_SHARED_UID] = {shared_uid_rules, COUNT(shared_uid_rules)},
	[SECCOMP_LIST_NO_PROCESSES] = {no_processes_rules, COUNT(no_processes_rules)},
};

_Static_assert(COUNT(base_rules) + COUNT(python_rules) + COUNT(javascript_rules) +
			       COUNT(bash_rules) + COUNT(c_rules) + COUNT(landlock_rules) +
			       COUNT(shared_uid_rules) + COUNT(no_processes_rules) <
		       SECCOMP_RULES_MAX,
	       "a list fits struct seccomp_rules");

static const struct {
	const char *name;
	const char *purpose;
} lists[SECCOMP_LISTS] = {
#define X(symbol, name, purpose) [SECCOMP_LIST_##symbol] = {(name), (purpose)},
	SECCOMP_LIST_LIST(X)
#undef X
};

static bool is_named(enum seccomp_list list, const struct seccomp_rule *rule)
{
	for (size_t i = 0; i < own_rules[list].count; i++)
		if (own_rules[list].rules[i].number == rule->number)
			return true;
	return false;
}

/* A runtime that needs what nobody else gets says so in its own file; a level says all there is
 * to say about a call. */
static bool is_replaced(enum seccomp_list list, const struct seccomp_rule *rule)
{
	if (list < SECCOMP_LIST_INIT && (rule->verdict == SECCOMP_PASS || rule->cond_count > 0))
		return false;
	return is_named(list, rule);
}

static void add_own(enum seccomp_list list, struct seccomp_rules *ret)
{
	for (size_t i = 0; i < own_rules[list].count; i++)
		ret->list[ret->count++] = &own_rules[list].rules[i];
}

void seccomp_rules(enum seccomp_list list, struct seccomp_rules *ret)
{
	ret->count = 0;
	if (list != SECCOMP_LIST_INIT)
		for (size_t i = 0; i < COUNT(base_rules); i++)
			if (!is_replaced(list, &base_rules[i]))
				ret->list[ret->count++] = &base_rules[i];
	add_own(list, ret);
}

static bool is_covered(uint32_t covers, const struct seccomp_rule *rule)
{
	for (unsigned list = 0; list < SECCOMP_LISTS; list++)
		if ((covers & 1u << list) != 0 && is_named((enum seccomp_list)list, rule))
			return true;
	return false;
}

void seccomp_rules_covered(enum seccomp_list list, uint32_t covers, struct seccomp_rules *ret)
{
	size_t kept = 0;

	seccomp_rules(list, ret);
	for (size_t i = 0; i < ret->count; i++)
		if (!is_covered(covers, ret->list[i]))
			ret->list[kept++] = ret->list[i];
	ret->count = kept;
	for (unsigned cover = 0; cover < SECCOMP_LISTS; cover++)
		if ((covers & 1u << cover) != 0)
			add_own((enum seccomp_list)cover, ret);
}

static bool cond_holds(const struct scmp_arg_cmp *cond, uint64_t value)
{
	switch (cond->op) {
	case SCMP_CMP_EQ:
		return value == cond->datum_a;
	case SCMP_CMP_NE:
		return value != cond->datum_a;
	default:
		return (value & cond->datum_a) == cond->datum_b;
	}
}

bool seccomp_rule_holds(const struct seccomp_rule *rule, const uint64_t args[6])
{
	for (unsigned i = 0; i < rule->cond_count; i++)
		if (!cond_holds(&rule->conds[i], args[rule->conds[i].arg]))
			return false;
	return true;
}

const char *seccomp_list_name(enum seccomp_list list)
{
	return lists[list].name;
}

const char *seccomp_list_purpose(enum seccomp_list list)
{
	return lists[list].purpose;
}

int seccomp_list_find(const char *name, enum seccomp_list *ret, struct err *err)
{
	char names[256] = "";
	size_t used = 0;

	for (unsigned i = 0; i < SECCOMP_LIST_INIT; i++) {
		if (strcmp(name, lists[i].name) == 0) {
			*ret = (enum seccomp_list)i;
			return 0;
		}
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 i > 0 ? ", " : "", lists[i].name);
	}
	return err_set(err, ENOENT, "no seccomp list is called \"%s\"; there are: %s", name,
		       names);
}
