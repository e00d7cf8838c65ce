/*
 * sandbox/layers/seccomp.h - last layer: the system calls a job may make, by allow-list.
 *
 * The lists are data, sandbox/seccomp/<name>.def, one call a line with its reason. The warden
 * compiles them once (libseccomp is linked into no process that runs a job) into a sealed memfd
 * of struct sock_filter; cell inits and workers load that.
 *
 * Verdicts: listed calls pass, where a condition says so only with those arguments; calls known
 * to be dangerous get EPERM; numbers nobody listed get ENOSYS, so that libraries take their
 * fallback; a foreign architecture or an x32 number kills the process.
 */
#ifndef SANDBOX_LAYERS_SECCOMP_H
#define SANDBOX_LAYERS_SECCOMP_H

#include "base/err.h"

enum seccomp_list {
	SECCOMP_LIST_WORKER, /* base.def: what interpreters and programs need */
	SECCOMP_LIST_INIT,   /* init.def: pid 1 of a cell waits and exits */
	SECCOMP_LIST_MAX = SECCOMP_LIST_INIT
};

/* Programs larger than this are refused; ours are far below the kernel's BPF_MAXINSNS, 4096. */
#define SECCOMP_PROGRAM_BYTES_MAX (4096 * 8)

/* Needs libseccomp, and so lives in a file of its own (seccomp_compile.c): programs that only
 * load do not link it. */
nodiscard int seccomp_program_compile(enum seccomp_list list, int *ret_memfd, struct err *err);

/* Loads a compiled program for the calling process, for good. Needs no_new_privs. `memfd` stays
 * the caller's. Afterwards messages without descriptors must be sent by chan_send_blocking().
 */
nodiscard int seccomp_program_load(int memfd, struct err *err);

#endif
