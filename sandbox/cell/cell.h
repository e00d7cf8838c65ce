/*
 * sandbox/cell/cell.h - one cell: a set of fresh namespaces with an init in it.
 *
 * Run by casemate-cell, inside U0 and inside the runtime's root. It reads typed messages of the
 * warden and nothing else; no byte of a job ever reaches this process.
 */
#ifndef SANDBOX_CELL_CELL_H
#define SANDBOX_CELL_CELL_H

#include <stdint.h>

#include "base/err.h"
#include "schema/wire/warden_worker.h"

/* What the maker keeps between cells. Descriptors are owned by the maker. */
struct cell_maker {
	int proc_fd;	/* /proc of the host, opened before the root was left */
	int seccomp_fd; /* program for inits */
	uint32_t layers_disabled;
};

/* What one cell needs; descriptors are borrowed. */
struct cell_plan {
	const struct cell_maker *maker;
	struct cell_make make;
	int lifeline_fd;
	int network_fd;
};

struct cell {
	int init_pidfd;
	int folder_fd; /* the workspace */
	uint32_t layers;
};

/* Makes a cell; its init is locked down and waits on the lifeline. On failure nothing is left
 * of it. The caller owns both descriptors of `ret`. */
nodiscard int cell_start(const struct cell_plan *plan, struct cell *ret, struct err *err);

/* The life of a cell's init, from its clone to its end. `sync_fd`: a message that the maps are
 * written comes in, CELL_MADE or CELL_FAILED goes out. */
_Noreturn void cell_init_run(const struct cell_plan *plan, int sync_fd);

#endif
