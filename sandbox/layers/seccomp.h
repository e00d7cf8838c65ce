/*
 * sandbox/layers/seccomp.h - last layer: the system calls a job may make, by allow-list.
 *
 * The lists are data, sandbox/seccomp/<name>.def, one call a line with its reason. The warden
 * compiles them once (libseccomp is linked into no process that runs a job) into a sealed memfd
 * of struct sock_filter; cell inits and workers load that.
 *
 * Verdicts: listed calls pass, where a condition says so only with those arguments; calls known
 * to be dangerous get EPERM, by the warden's answer where it listens (SECCOMP_TELL); numbers
 * nobody listed get ENOSYS, so that libraries take their fallback; a foreign architecture or an
 * x32 number kills the process.
 */
#ifndef SANDBOX_LAYERS_SECCOMP_H
#define SANDBOX_LAYERS_SECCOMP_H

#include <stdint.h>

#include "base/err.h"

/* X(symbol, name, what it is for). A runtime names its list in runtime.json ("seccomp"); each
 * is base.def and the few lines of its own file, init.def stands alone. A new list is a file
 * and a line here and in seccomp_rules.c. Those behind init are of the level, not of a runtime:
 * they take the place of what another list says about the same calls. */
#define SECCOMP_LIST_LIST(X)                                                          \
	X(WORKER, "base", "what interpreters and programs need")                      \
	X(PYTHON, "python", "base and what CPython and its libraries need")           \
	X(JAVASCRIPT, "javascript", "base and what node needs")                       \
	X(BASH, "bash", "base and what bash and its programs need")                   \
	X(C, "c", "base and what compilers and their products need")                  \
	X(INIT, "init", "pid 1 of a cell waits and exits; no job runs under it")      \
	X(LANDLOCK, "landlock", "workers without a cell, in place of the same calls") \
	X(SHARED_UID, "shared_uid", "those that share the service's user, likewise")  \
	X(NO_PROCESSES, "no_processes", "those that no control group holds, likewise")

enum seccomp_list {
#define X(symbol, name, purpose) SECCOMP_LIST_##symbol,
	SECCOMP_LIST_LIST(X)
#undef X
		SECCOMP_LISTS
};

#define SECCOMP_COVER(symbol) (1u << SECCOMP_LIST_##symbol)

/* How a refused call is answered. */
enum seccomp_voice {
	SECCOMP_QUIET, /* by the kernel alone, with an errno */
	SECCOMP_TELL,  /* through user notification: somebody must hold the listener and answer
			*/
};

/* Programs larger than this are refused; ours are far below the kernel's BPF_MAXINSNS, 4096. */
#define SECCOMP_PROGRAM_BYTES_MAX (4096 * 8)

/* Needs libseccomp, and so lives in a file of its own (seccomp_compile.c): programs that only
 * load do not link it. */
nodiscard int seccomp_program_compile(enum seccomp_list list, enum seccomp_voice voice,
				      int *ret_memfd, struct err *err);

/* The same with the lists of `covers` (SECCOMP_COVER bits) over it. */
nodiscard int seccomp_program_compile_covered(enum seccomp_list list, uint32_t covers,
					      enum seccomp_voice voice, int *ret_memfd,
					      struct err *err);

/* Loads a compiled program for the calling process, for good. Needs no_new_privs. `memfd` stays
 * the caller's. Afterwards messages without descriptors must be sent by chan_send_blocking().
 */
nodiscard int seccomp_program_load(int memfd, struct err *err);

/* The same for a program that notifies (SECCOMP_TELL); ret_listener gets the listener, which
 * belongs into other hands before the process runs what is to be watched. A call that is told
 * of waits until it is answered, and fails with ENOSYS once nobody holds the listener. */
nodiscard int seccomp_program_load_telling(int memfd, int *ret_listener, struct err *err);

/* Whether this kernel, and whoever confined us, let a process have a listener; tried in a
 * child. -EBUSY: a filter above us has one already. Needs a memfd of a telling program. */
nodiscard int seccomp_try_telling(int memfd, struct err *err);

#endif
