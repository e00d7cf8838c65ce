#include "server/supervisor/strays.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define CHILDREN_BYTES_MAX 65536 /* pids as text; some 8,000 */

static bool is_known(const struct supervisor *supervisor, pid_t pid)
{
	for (size_t i = 0; i < supervisor->child_count; i++)
		if (supervisor->children[i].pid == pid)
			return true;
	return supervisor->oneshot.pid == pid;
}

void strays_kill(const struct supervisor *supervisor)
{
	char path[64];
	own_mem char *text = malloc(CHILDREN_BYTES_MAX + 1);
	own_fd fd = -1;
	ssize_t length;
	char *at = text;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 || text == NULL ? -1 : read(fd, text, CHILDREN_BYTES_MAX);
	if (length <= 0)
		return;
	text[length] = '\0';
	while (*at != '\0') {
		char *end;
		pid_t pid = (pid_t)strtol(at, &end, 10);

		if (end == at)
			return;
		if (pid > 1 && !is_known(supervisor, pid))
			(void)kill(pid, SIGKILL);
		at = end + strspn(end, " ");
	}
}

#define END_ROUNDS   200 /* a second in all */
#define END_ROUND_NS 5000000

void strays_end(const struct supervisor *supervisor)
{
	const struct timespec round = {.tv_nsec = END_ROUND_NS};

	for (int i = 0; i < END_ROUNDS; i++) {
		strays_kill(supervisor);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG) < 0)
			return; /* no child is left */
		(void)nanosleep(&round, NULL);
	}
}
