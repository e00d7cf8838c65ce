/*
 * sandbox/layers/null_lock.h - closes a channel between jobs: locks on /dev/null.
 *
 * All jobs have the host's one /dev/null, may write to it, and may lock files, because SQLite
 * does; a filter cannot see which file a lock is for. Where somebody holds a read lock for
 * good, no write lock is ever granted and every read lock is: a job cannot set anything that
 * another could notice. The other device nodes cannot be opened for writing, which a write lock
 * needs.
 *
 * Guarantees: as long as the descriptor is open, fcntl(F_SETLK, F_WRLCK) on /dev/null fails for
 * everybody.
 */
#ifndef SANDBOX_LAYERS_NULL_LOCK_H
#define SANDBOX_LAYERS_NULL_LOCK_H

#include "base/err.h"

/* -EAGAIN: a process of the host holds a write lock on it. The descriptor is the caller's; its
 * children may have copies. */
nodiscard int null_lock_hold(int *ret_fd, struct err *err);

#endif
