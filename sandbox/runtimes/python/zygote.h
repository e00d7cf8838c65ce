/*
 * sandbox/runtimes/python/zygote.h - the warm interpreter that forks workers on demand. It
 * reads only the warden's messages; no byte of a job ever reaches it.
 */
#ifndef SANDBOX_RUNTIMES_PYTHON_ZYGOTE_H
#define SANDBOX_RUNTIMES_PYTHON_ZYGOTE_H

#include "base/chan.h"
#include "sandbox/runtimes/python/interp.h"
#include "schema/wire/warden_worker.h"

enum zygote_state { ZYGOTE_NEW = 1, ZYGOTE_SERVING = 2 };

struct zygote {
	int channel;
	uint32_t state;
	int seccomp_memfd; /* owned; the program every worker loads */
	unsigned landlock_abi_min;
	bool tells_denials;
	uint32_t layers_disabled;
	uint8_t level;
	char root_paths[4096 + 1]; /* see struct lockdown */
	char fail_step[64];	   /* test builds: this step of every worker fails */
	int *tid_slot;		   /* where libc caches this thread's number */
	struct interp_modules modules;
};

/* Serves the warden until it hangs up (0) or something breaks. `loaded` is called once, when
 * the interpreter is ready. */
nodiscard int zygote_serve(struct zygote *zygote, void (*loaded)(const struct zygote *),
			   struct err *err);

#endif
