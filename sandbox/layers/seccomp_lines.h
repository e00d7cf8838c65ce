/*
 * sandbox/layers/seccomp_lines.h - the lines of a seccomp program, written from its end to its
 * beginning, so that whatever a line jumps to is there already. No line is written twice where
 * a jump reaches the first.
 */
#ifndef SANDBOX_LAYERS_SECCOMP_LINES_H
#define SANDBOX_LAYERS_SECCOMP_LINES_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECCOMP_LINES_MAX   4096 /* lines; the kernel's BPF_MAXINSNS */
#define SECCOMP_ANSWERS_MAX 8	 /* different answers of one program */

struct seccomp_lines {
	struct sock_filter lines[SECCOMP_LINES_MAX];
	size_t first; /* index of the first line so far */
	struct {
		uint32_t answer;
		size_t at;
	} answers[SECCOMP_ANSWERS_MAX]; /* where each was written last */
	size_t answer_count;
	bool is_too_long; /* the program is of no use */
};

void seccomp_lines_init(struct seccomp_lines *ret);

/* Each returns the index of the line to jump to. */

/* Ends the program with SECCOMP_RET_*. */
size_t seccomp_lines_answer(struct seccomp_lines *lines, uint32_t answer);

/* Compares what was loaded (BPF_JEQ, BPF_JGE) with `value`. */
size_t seccomp_lines_jump(struct seccomp_lines *lines, uint16_t compare, uint32_t value,
			  size_t yes, size_t no);

/* Loads the 32 bits at `offset` of struct seccomp_data, those of them under `mask`, and goes on
 * with the line that was written last. */
size_t seccomp_lines_load(struct seccomp_lines *lines, size_t offset, uint32_t mask);

#endif
