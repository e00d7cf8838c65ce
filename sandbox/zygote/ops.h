/*
 * sandbox/zygote/ops.h - what a zygote program must know of its runtime; everything else, the
 * protocol, the wall and the job's life, is the same for all of them.
 *
 * Zygote: load() once, then fork_before() and fork_parent() around each fork.
 * Worker: fork_child(), enter(), behind the wall rehearse(), then one job: add_*(), run().
 */
#ifndef SANDBOX_ZYGOTE_OPS_H
#define SANDBOX_ZYGOTE_OPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/memfd.h"
#include "schema/wire/warden_worker.h"

/* What a runtime tells of itself; goes into ZYGOTE_READY and the log. */
struct zygote_modules {
	char version[64];
	char loaded[4096 + 1];	/* "json,numpy 1.24.2,..." */
	char missing[4096 + 1]; /* "polars (ModuleNotFoundError),..." */
};

/* How a job ended. */
struct job_end {
	int status; /* exit status */
	int signal; /* the worker dies of it instead of exiting; 0: it exits */
	bool is_out_of_memory;
	/* JSON for WORKER_REPORT, owned by the runtime; NULL: nothing to say. */
	const char *report;
	size_t report_length;
};

struct zygote_ops {
	/* Everything that is the same in all workers. Fails: the program does not start. */
	int (*load)(const struct zygote_setup *setup, struct zygote_modules *ret,
		    struct err *err);
	void (*fork_before)(void);
	void (*fork_parent)(void);
	void (*fork_child)(void);
	/* In the worker, before the layers that would refuse start-up calls. */
	int (*enter)(struct err *err);
	/* Behind the wall, before the worker says that it is ready: walks the way of a job, so
	 * that a call of it that the filter refuses shows here. */
	int (*rehearse)(struct err *err);
	/* Then, still before it is ready: what must run before a job comes. May start programs,
	 * which rehearse() may not, because the warden does not answer yet. NULL: nothing. */
	int (*start)(struct err *err);
	/* Takes the job's standard input from `fd`, the caller's. NULL: it becomes
	 * descriptor 0. */
	int (*take_stdin)(int fd, struct err *err);
	/* The job's arguments and environment, in order. The bytes are the caller's. */
	int (*add_argument)(const char *data, size_t length, struct err *err);
	int (*add_variable)(const char *name, size_t name_length, const char *data,
			    size_t length, struct err *err);
	/* What the policy lets this language's code name (schema/guard.h), to be held to while
	 * it runs. NULL: the runtime cannot, and takes no job that asks for it. */
	int (*take_guard)(const char *data, size_t length, struct err *err);
	/* Runs the code to its end. `payload`, in which it lies, is given back when it is not
	 * needed any more. Whatever goes wrong is the job's end. */
	void (*run)(const char *code, size_t length, struct span *payload, struct job_end *ret);
};

#endif
