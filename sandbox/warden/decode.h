/*
 * sandbox/warden/decode.h - the arguments of a call that waits for its answer, as text.
 *
 * What the call points at is read from the caller's memory, which the caller's other threads
 * may change meanwhile: the text is a note for people and never decides anything. The process
 * may die and its number be taken by another: whatever was read counts only if the kernel still
 * knows the notification afterwards.
 */
#ifndef SANDBOX_WARDEN_DECODE_H
#define SANDBOX_WARDEN_DECODE_H

#include <linux/seccomp.h>
#include <stdbool.h>

#include "schema/events.h"

/* True while the caller is alive and waits for this answer. */
bool decode_is_waiting(int listener_fd, uint64_t id);

/* The arguments that the text shows; the others become 0, because they are what the caller's
 * registers held by chance. */
void decode_used_arguments(const struct seccomp_data *data, uint64_t ret[6]);

/* Fills detail, target, pid and tid. ret_is_by_value: the text depends on nothing but number
 * and arguments. False: the caller is gone, and nothing of `ret` counts. */
bool decode_call(int listener_fd, const struct seccomp_notif *call, struct event *ret,
		 bool *ret_is_by_value);

enum decode_program {
	PROGRAM_GONE,	 /* the caller is */
	PROGRAM_MISSING, /* there is no such file; shells and execvp(3) ask along PATH */
	PROGRAM_OWN,	 /* a file of the workspace or of /tmp */
	PROGRAM_INSTALLED,
};

/* The same for execve(2). */
enum decode_program decode_execve(int listener_fd, const struct seccomp_notif *call,
				  struct event *ret);

#endif
