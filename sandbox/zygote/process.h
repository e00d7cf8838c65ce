/*
 * sandbox/zygote/process.h - what the zygote must know and do about processes without
 * the help of /proc or of libc's fork().
 */
#ifndef SANDBOX_ZYGOTE_PROCESS_H
#define SANDBOX_ZYGOTE_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* -EBUSY unless the process has exactly one thread: locks held by others would stay locked in
 * every worker. */
nodiscard int process_is_single_threaded(struct err *err);

/* Size of the address space, found by asking how little RLIMIT_AS may be. */
uint64_t process_address_space_bytes(void);

/* Finds the word in which libc caches the number of the calling thread. */
nodiscard int process_find_tid_slot(int **ret_slot, struct err *err);

/*
 * fork() for a process of one thread, with a child that belongs to our parent (CLONE_PARENT).
 * 0 and *ret_pid 0: the child. Otherwise *ret_pid is its number in our pid namespace and
 * *ret_pidfd, owned by the caller, refers to it.
 */
nodiscard int process_fork_for_parent(int *tid_slot, pid_t *ret_pid, int *ret_pidfd,
				      struct err *err);

#endif
