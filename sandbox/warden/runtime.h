/*
 * sandbox/warden/runtime.h - one language: its cell maker, its zygote, its share of the pool.
 */
#ifndef SANDBOX_WARDEN_RUNTIME_H
#define SANDBOX_WARDEN_RUNTIME_H

#include "sandbox/layers/seccomp_rules.h"
#include "sandbox/warden/child.h"
#include "sandbox/warden/slot.h"
#include "schema/wire/setup.h"
#include "schema/wire/warden_worker.h"

struct warden;

struct runtime {
	struct warden *warden;
	struct setup_runtime setup;
	struct child maker;
	struct child zygote;
	struct zygote_ready zygote_says; /* version, modules, address space */
	unsigned in_state[SLOT_STATES];	 /* slots of this runtime, by state */
	uint64_t workers_made;
	uint64_t workers_failed;
	unsigned failures_in_row;   /* workers that died before they were ready */
	struct timer retry;	    /* armed: no worker is made until it fires */
	int filter_fd;		    /* what its jobs may ask of the kernel, compiled */
	struct seccomp_rules rules; /* the same as a table */
	uint64_t run_us_average;    /* of the last jobs, for Retry-After */
};

void runtime_init(struct runtime *runtime, struct warden *warden,
		  const struct setup_runtime *setup);

/* Opens the runtime's programs while they can still be reached by path, and compiles its list
 * of system calls under what the level says of some (SECCOMP_COVER bits). */
nodiscard int runtime_open(struct runtime *runtime, uint32_t covers, struct err *err);

/* Starts the cell maker; the zygote follows once the root stands. */
nodiscard int runtime_start(struct runtime *runtime, struct err *err);

void runtime_stop(struct runtime *runtime);

/* It is known, and why it cannot be used, but nothing of it is started. */
bool runtime_is_missing(const struct runtime *runtime);

/* A worker starts its program before a job comes. */
bool runtime_starts_ahead(const struct runtime *runtime);

bool runtime_can_make(const struct runtime *runtime);

/* Workers between CELL_MAKING and LOCKING. */
unsigned runtime_making(const struct runtime *runtime);

#endif
