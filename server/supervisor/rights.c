#include "server/supervisor/rights.h"

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/confine.h"
#include "schema/status.h"

#define BIT(cap) (1ull << (cap))
#define X32_BIT	 0x40000000u

static const uint64_t kept =
#define KEEP(name, why) BIT(name) |
#include "server/supervisor/keep.caps.def"
	0;

static int capabilities_set(uint64_t wanted, struct err *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) != 0)
		return err_errno(err, errno, "read my capabilities");
	for (unsigned i = 0; i < 2; i++) {
		/* Never ask for more than there is: a container may have given less. */
		data[i].permitted &= (uint32_t)(wanted >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) != 0)
		return err_errno(err, errno, "give up capabilities");
	return 0;
}

/* The bounding set decides what a child of root gets at its exec, so it is cut to the same
 * list. An ordinary user cannot change it; there no_new_privs makes it useless. */
static int bounding_set_cut(struct err *err)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if ((kept & BIT(cap)) != 0 || prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 &&
		    (errno != EPERM || geteuid() == 0))
			return err_errno(err, errno, "give up capability %d for my children",
					 cap);
	}
	return 0;
}

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "rights.c: name this architecture's AUDIT_ARCH"
#endif

static const int denied[] = {
#define DENY(name, why) __NR_##name,
#include "server/supervisor/deny.seccomp.def"
};

#define STMT(code, k)	       ((struct sock_filter)BPF_STMT((code), (uint32_t)(k)))
#define JUMP(code, k, yes, no) ((struct sock_filter)BPF_JUMP((code), (uint32_t)(k), yes, no))

/* RET_TRACE without a tracer: the call is not made and fails with ENOSYS, as by an errno. But
 * of several filters the strictest answer counts, and this one gives way to a job's own list,
 * which tells the warden of the attempt; an errno would hide it. Nobody below may trace. */
static int deny_list_load(struct err *err)
{
	struct sock_filter code[2 * ARRAY_COUNT(denied) + 10];
	struct sock_fprog program = {.filter = code};
	unsigned short at = 0;

	code[at++] = STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	code[at++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
	/* Another ABI has other numbers for the same calls. */
	code[at++] = STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	code[at++] = STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	/* So has x32, under the same architecture name. */
	code[at++] = JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	code[at++] = STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	for (size_t i = 0; i < ARRAY_COUNT(denied); i++) {
		code[at++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, denied[i], 0, 1);
		code[at++] = STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	}
	code[at++] = STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = at;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
		return err_errno(err, errno, "load the seccomp deny list");
	return 0;
}

static int prove(uint32_t layers, struct err *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) != 0)
		return err_errno(err, errno, "read my capabilities back");
	if (((data[0].permitted | (uint64_t)data[1].permitted << 32) & ~kept) != 0)
		return err_set(err, EPERM, "capabilities did not go away");
	if ((layers & LAYER_NO_NEW_PRIVILEGES) != 0 &&
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return err_set(err, EPERM, "no_new_privs did not stick");
	if ((layers & LAYER_SECCOMP) != 0 && !confine_denies_calls())
		return err_set(err, EPERM, "the seccomp deny list does not hold");
	return 0;
}

int rights_drop(uint32_t layers_disabled, struct err *err)
{
	uint32_t layers = LAYER_ALL;
	int status;

#ifdef CASEMATE_TEST_BUILD
	layers &= ~layers_disabled;
#else
	(void)layers_disabled;
#endif
	if ((layers & LAYER_NO_NEW_PRIVILEGES) != 0 &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_errno(err, errno, "set no_new_privs");
	/* Before the capabilities: cutting the bounding set needs CAP_SETPCAP. */
	status = bounding_set_cut(err);
	if (status == 0)
		status = capabilities_set(geteuid() == 0 ? kept : 0, err);
	if (status == 0 && (layers & LAYER_SECCOMP) != 0)
		status = deny_list_load(err);
	return status < 0 ? status : prove(layers, err);
}
