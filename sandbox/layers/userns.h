/*
 * sandbox/layers/userns.h - layer 1: user namespaces.
 *
 * First of all layers, because every later one needs rights that only a namespace of our own
 * gives without giving any over the host. Two levels: U0, the service's namespace, entered once
 * by the warden; and one namespace per cell below it, in which a job has one user, CELL_UID,
 * that is an unprivileged user of the host (its own one when the service started as root).
 *
 * Guarantees: after userns_enter() no process of the sandbox is uid 0 of the host or may become
 * any uid outside the mapped range, whatever happens to it.
 */
#ifndef SANDBOX_LAYERS_USERNS_H
#define SANDBOX_LAYERS_USERNS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* The user and group of every job, as seen from inside. Not 0: programs treat 0 specially. */
#define CELL_UID 1000

/*
 * Moves the calling process (one thread) into U0 and makes it U0's uid and gid 0 without
 * supplementary groups. As root: uid_first, one of `uid_count` unprivileged host uids, becomes
 * 0, uid_first + n becomes n; the maps are written by a helper child that stays outside. As an
 * ordinary user: uid_count 0, the own uid becomes 0 and setgroups(2) is denied for good.
 *
 * Descriptors opened before stay open. Programs to start and folders that only host root can
 * reach must be opened before. Needs /proc.
 */
nodiscard int userns_enter(uint32_t uid_first, uint32_t uid_count, struct err *err);

/* Writes the maps of the new child `pid`: CELL_UID inside is `uid` of the caller's namespace (0
 * when there is only a single mapping). `proc_fd`: the folder /proc of the caller's pid
 * namespace, which may be out of reach by path already. */
nodiscard int userns_write_maps(int proc_fd, pid_t pid, uint32_t uid, struct err *err);

/* -EPERM unless the caller's user and group are 0 inside and mapped (not the overflow uid), and
 * `uid_count` uids are mapped (1 for a single mapping). Reads /proc/self. */
nodiscard int userns_check(uint32_t uid_count, struct err *err);

#endif
