#include "sandbox/warden/helper.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

void helper_begin(const char *name)
{
	/* Out of the terminal's process group: Ctrl-C must not end it before its task. */
	(void)setsid();
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
}

void helper_confine(const struct confine_syscall *allowed, size_t count)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		_exit(1);
#ifndef __SANITIZE_ADDRESS__ /* its runtime makes calls of its own */
	struct err err = {0};

	if (confine_seccomp(allowed, count, &err) < 0)
		_exit(1);
#else
	(void)allowed;
	(void)count;
#endif
}
