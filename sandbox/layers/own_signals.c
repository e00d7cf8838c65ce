#include "sandbox/layers/own_signals.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#define STMT(code, k)	       ((struct sock_filter)BPF_STMT((code), (uint32_t)(k)))
#define JUMP(code, k, yes, no) ((struct sock_filter)BPF_JUMP((code), (uint32_t)(k), yes, no))

/* The lower half of the first argument: the kernel reads a pid_t there, and both halves lie
 * lowest first on the machines we build for. */
#define FIRST_ARGUMENT offsetof(struct seccomp_data, args)

int own_signals_only(struct err *err)
{
	/* The architecture is judged by the other filter; a foreign one dies there. */
	struct sock_filter code[] = {
		STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_kill, 1, 0),
		JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_tgkill, 0, 2),
		STMT(BPF_LD | BPF_W | BPF_ABS, FIRST_ARGUMENT),
		JUMP(BPF_JMP | BPF_JEQ | BPF_K, getpid(), 0, 1),
		STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	struct sock_fprog program = {.len = ARRAY_COUNT(code), .filter = code};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
		return err_errno(err, errno, "forbid signals to others");
	return 0;
}
