/*
 * base/confine.h - how a process of the service gives up what it does not need, and proves it.
 *
 * Order, and why: uid first (needs CAP_SETUID), privileges next (Landlock and seccomp need
 * no_new_privs, dropping the bounding set needs CAP_SETPCAP), Landlock, seccomp last, because
 * it would forbid the steps before it. A partial drop cannot be undone: any failure means exit.
 * Workers have their own, deeper sequence in sandbox/layers.
 */
#ifndef BASE_CONFINE_H
#define BASE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Empties the bounding set, becomes `uid` with the group of the same number and no others, and
 * reads them back.
 * 0 means: the service was not started as root, stay who you are. */
nodiscard int confine_uid(uint32_t uid, struct err *err);

/* No core file of this process and what it starts. */
nodiscard int confine_core(struct err *err);

/* Empties the bounding set and reads it back. Without CAP_SETPCAP it stays, which is an error
 * only when it is demanded: no_new_privs makes it useless. */
nodiscard int confine_bounding_set(bool is_demanded, struct err *err);

/* Empties the ambient, effective, permitted and inheritable sets and reads them back. */
nodiscard int confine_capabilities(struct err *err);

/* no_new_privs, not dumpable (no ptrace, no core by a sibling of the same uid), no core file,
 * all capability sets and the bounding set empty; read back. */
nodiscard int confine_privileges(struct err *err);

/* A folder the process keeps. access: LANDLOCK_ACCESS_FS_* bits of linux/landlock.h; bits the
 * kernel's ABI does not know are left out. */
/* From this ABI on Landlock keeps signals and abstract sockets in (LANDLOCK_SCOPE_*). */
#define CONFINE_LANDLOCK_ABI_SCOPES 6

struct confine_folder {
	int fd; /* O_PATH or O_DIRECTORY, borrowed */
	uint64_t access;
};

/* Denies every file-system and (ABI 4+) TCP operation beyond `folders`, and (ABI 6+) signals
 * and abstract sockets to outside. Refuses an ABI below `abi_min`, naming both. */
nodiscard int confine_landlock(unsigned abi_min, const struct confine_folder *folders,
			       size_t count, unsigned *ret_abi, struct err *err);

/* The running kernel's Landlock ABI, 0 if there is none. */
unsigned confine_landlock_abi(void);

struct confine_syscall {
	int number;
	const char *reason;
};

/*
 * A list is a .def file of lines `ALLOW(name, "reason")`, one system call each, beside the
 * process it belongs to; a misspelt name does not compile:
 *
 *   static const struct confine_syscall allowed[] = {
 *   #include "base/common.seccomp.def"
 *   #include "server/gate/gate.seccomp.def"
 *   };
 */
#define CONFINE_ALLOW(name, why) {__NR_##name, (why)},

/* Allows exactly these. Starting programs, tracing, mounting and loading code into the kernel
 * kill the process (nothing here does that but an attacker); any other call gets ENOSYS, so
 * libraries take their fallback path; foreign ABIs and x32 kill. */
nodiscard int confine_seccomp(const struct confine_syscall *allowed, size_t count,
			      struct err *err);

/* Tries what must now fail: opening a file by absolute path (unless `has_folders`), an internet
 * socket, regaining uid 0. -EPERM with the name of the first that worked. */
nodiscard int confine_prove(int has_folders, struct err *err);

/* Whether a call that every deny list names is refused: by ours with ENOSYS, or with EPERM by
 * the profile of a container engine around us, which answers first. keyctl() is asked because
 * without a filter it fails with neither: an unknown command is EOPNOTSUPP to everybody. */
int confine_denies_calls(void);

#endif
