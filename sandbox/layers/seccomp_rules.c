#include "sandbox/layers/seccomp_rules.h"

#include <asm/ioctls.h>
#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

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

#define RULE(name, verdict, why) {SCMP_SYS(name), verdict, 0, {{0}}, #name, (why)},
#define RULE_IF(name, verdict, why, ...)                                                     \
	{SCMP_SYS(name), verdict, ARRAY_COUNT(((const struct scmp_arg_cmp[]){__VA_ARGS__})), \
	 {__VA_ARGS__},	 #name,	  (why)},

#define ALLOW(name, why)	 RULE(name, SECCOMP_PASS, why)
#define ALLOW_IF(name, why, ...) RULE_IF(name, SECCOMP_PASS, why, __VA_ARGS__)
#define DENY(name, why)		 RULE(name, SECCOMP_DENY, why)
#define DENY_IF(name, why, ...)	 RULE_IF(name, SECCOMP_DENY, why, __VA_ARGS__)
#define ABSENT(name, why)	 RULE(name, SECCOMP_ABSENT, why)

static const struct seccomp_rule worker_rules[] = {
#include "sandbox/seccomp/base.def"
};

static const struct seccomp_rule init_rules[] = {
#include "sandbox/seccomp/init.def"
};

const struct seccomp_rule *seccomp_rules(enum seccomp_list list, size_t *ret_count)
{
	if (list == SECCOMP_LIST_INIT) {
		*ret_count = ARRAY_COUNT(init_rules);
		return init_rules;
	}
	*ret_count = ARRAY_COUNT(worker_rules);
	return worker_rules;
}
