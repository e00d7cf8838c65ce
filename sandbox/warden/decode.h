/*
 * sandbox/warden/decode.h - the arguments of a call that waits for its answer, as text.
 *
 * What the call points at is read from the caller's memory, which the caller's other threads
 * may change meanwhile: the text is a note for people and never decides anything. The process
 * may die and its number be taken by another: whatever was read counts only if the kernel still
 * knows the notification afterwards, which is the caller's to ask. It may wait long for a lock
 * of the process's (aside.h).
 */
#ifndef SANDBOX_WARDEN_DECODE_H
#define SANDBOX_WARDEN_DECODE_H

#include <linux/seccomp.h>
#include <stdbool.h>

#include "schema/events.h"

/* The arguments that the text shows; the others become 0, because they are what the caller's
 * registers held by chance. */
void decode_used_arguments(const struct seccomp_data *data, uint64_t ret[6]);

enum decode_program {
	PROGRAM_MISSING, /* there is no such file; shells and execvp(3) ask along PATH */
	PROGRAM_OWN,	 /* a file of the workspace or of /tmp */
	PROGRAM_INSTALLED,
};

/* A call to be looked at, and what is found. */
struct reading {
	struct seccomp_notif call;
	bool is_program;	     /* execve(2), whose path is looked up too */
	struct event event;	     /* gets detail, target, pid and tid */
	bool is_by_value;	     /* of other calls: number and arguments say it all */
	enum decode_program program; /* of execve(2) */
	int error;		     /* errno where there is no such program */
};

void decode_read(struct reading *reading);

#endif
