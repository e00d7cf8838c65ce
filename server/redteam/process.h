/*
 * server/redteam/process.h - the jobs' processes as the host sees them, by /proc.
 *
 * Namespaces of another's process can be read by root and by the user who started the service.
 */
#ifndef SERVER_REDTEAM_PROCESS_H
#define SERVER_REDTEAM_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The user whom jobs have when none has a uid of its own: of the zygotes of `service` (0: of
 * any service). Our own when none is found. */
uid_t process_user_of_jobs(pid_t service);

/* Up to two processes whose name is `mark`; returns how many. */
unsigned process_find(const char *mark, pid_t ret[2]);

/* Whether the service whose job this is has our network, our process numbers and, at `path`,
 * our file: what we put there could be reached from it. False too when that cannot be seen. */
bool process_is_beside_us(pid_t job, const char *path);

/* Each answers whether what must be apart is shared; negative when it cannot be seen. The text
 * says what was seen. */
int process_shares_namespace(const pid_t jobs[2], const char *name, char *ret_saw, size_t size);
int process_shares_user(const pid_t jobs[2], char *ret_saw, size_t size);
int process_shares_core(const pid_t jobs[2], char *ret_saw, size_t size);
int process_shares_cgroup(const pid_t jobs[2], const char *controller, char *ret_saw,
			  size_t size);

#endif
