/*
 * tests/unit/layers/maker.h - a real casemate-cell, driven as the warden drives it.
 *
 * Used in a child that has entered the user namespace: the caller plays the warden.
 */
#ifndef TESTS_UNIT_LAYERS_MAKER_H
#define TESTS_UNIT_LAYERS_MAKER_H

#include <stdint.h>

#include "base/err.h"

struct maker {
	int channel_fd;
	int pid_fd;
};

struct made {
	int lifeline_fd; /* write end */
	int init_pidfd;
	int folder_fd;
	int network_fd;
	uint32_t layers;
};

/* Starts it and waits for CELL_READY. The binary is found beside the test's own. */
nodiscard int maker_start(struct maker *ret, const char *root_paths, uint32_t layers_disabled,
			  struct err *err);

/* The same without set-up: for tests that misbehave. */
nodiscard int maker_spawn(struct maker *ret, struct err *err);
nodiscard int maker_set_up(const struct maker *maker, const char *root_paths,
			   uint32_t layers_disabled, struct err *err);

nodiscard int maker_make(const struct maker *maker, uint32_t uid, uint64_t bytes,
			 struct made *ret, struct err *err);
void made_done(struct made *made);

/* Waits until the process behind a pidfd has ended; -ETIMEDOUT after 5 s. */
nodiscard int pidfd_wait(int pidfd, struct err *err);

#endif
