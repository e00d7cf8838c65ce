/*
 * sandbox/warden/oom.h - whom the kernel kills first when the whole machine is out of memory:
 * the sandbox's programs and jobs, never the service.
 *
 * The score is inherited by fork, and a process can raise its own without a right but lower it
 * only to where it was. So the warden raises its own for the moment of a fork: the child, whose
 * /proc may be out of reach for it, is born with the highest, and no job finds a file to lower
 * it.
 */
#ifndef SANDBOX_WARDEN_OOM_H
#define SANDBOX_WARDEN_OOM_H

#include <unistd.h>

#include "base/err.h"

/* Once, while /proc still belongs to us. */
nodiscard int oom_open(struct err *err);

/* fork(2) with a child that the kernel kills before anybody else; -1 and errno. */
pid_t oom_fork_first_victim(void);

#endif
