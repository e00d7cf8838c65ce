#include "sandbox/layers/rlimits.h"

#include <sys/resource.h>

/* CPU seconds between SIGXCPU and SIGKILL, so that a program can say why it ends. */
#define CPU_GRACE_S 1

/* Queued signals of one user; enough for any shell, too few to fill kernel memory. */
#define SIGNALS_PENDING 1024

struct limit {
	enum __rlimit_resource kind;
	const char *name;
	rlim_t soft, hard;
};

static int apply(const struct limit *limit, struct err *err)
{
	struct rlimit old, wanted, now;

	if (prlimit(0, limit->kind, NULL, &old) != 0)
		return err_errno(err, errno, "read RLIMIT_%s", limit->name);
	/* Never raise: a lower limit that the service itself was given stays. */
	wanted.rlim_max = limit->hard < old.rlim_max ? limit->hard : old.rlim_max;
	wanted.rlim_cur = limit->soft < wanted.rlim_max ? limit->soft : wanted.rlim_max;
	if (prlimit(0, limit->kind, &wanted, NULL) != 0)
		return err_errno(err, errno, "set RLIMIT_%s", limit->name);
	if (prlimit(0, limit->kind, NULL, &now) != 0 || now.rlim_cur != wanted.rlim_cur ||
	    now.rlim_max != wanted.rlim_max)
		return err_set(err, EPERM, "RLIMIT_%s did not stick", limit->name);
	return 0;
}

int rlimits_apply(const struct rlimits *limits, struct err *err)
{
	rlim_t space =
		limits->address_space_bytes == 0 ? RLIM_INFINITY : limits->address_space_bytes;
	const struct limit all[] = {
		{RLIMIT_AS, "AS", space, space},
		{RLIMIT_NPROC, "NPROC", limits->processes, limits->processes},
		{RLIMIT_NOFILE, "NOFILE", limits->open_files, limits->open_files},
		{RLIMIT_CPU, "CPU", limits->cpu_s, limits->cpu_s + CPU_GRACE_S},
		{RLIMIT_FSIZE, "FSIZE", limits->file_bytes, limits->file_bytes},
		/* 1, not 0: with a pipe in core_pattern the kernel ignores a limit of 0. */
		{RLIMIT_CORE, "CORE", 1, 1},
		{RLIMIT_MEMLOCK, "MEMLOCK", 0, 0},
		{RLIMIT_MSGQUEUE, "MSGQUEUE", 0, 0},
		{RLIMIT_NICE, "NICE", 0, 0},
		{RLIMIT_RTPRIO, "RTPRIO", 0, 0},
		{RLIMIT_RTTIME, "RTTIME", 0, 0},
		{RLIMIT_SIGPENDING, "SIGPENDING", SIGNALS_PENDING, SIGNALS_PENDING},
	};

	for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
		int status = apply(&all[i], err);

		if (status < 0)
			return status;
	}
	return 0;
}
