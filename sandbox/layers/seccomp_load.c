#include "sandbox/layers/seccomp.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "base/memfd.h"

int seccomp_program_load(int memfd, struct err *err)
{
	own_span program = {.data = ""};
	struct sock_fprog load;
	int status = memfd_map(memfd, SECCOMP_PROGRAM_BYTES_MAX, &program, err);

	if (status < 0)
		return err_prefix(err, "seccomp program");
	if (program.length == 0 || program.length % sizeof(struct sock_filter) != 0)
		return err_set(err, EINVAL, "seccomp program of %zu bytes", program.length);
	load = (struct sock_fprog){
		.len = (unsigned short)(program.length / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)(uintptr_t)program.data,
	};
	/* The mapping can go only after the kernel has copied it: every list allows munmap(2).
	 */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &load) != 0)
		return err_errno(err, errno, "load the seccomp program");
	return 0;
}
