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

static void strays_kill(const struct supervisor *supervisor)
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

/* The janitor waits for a dying cell as long as it takes; a second is a hundred times that. */
#define GRACE_US (2ull * 1000000)

static void grace_over(struct loop *loop, struct timer *timer)
{
	(void)loop;
	strays_kill(timer->owner);
}

void strays_init(struct supervisor *supervisor)
{
	supervisor->strays.fire = grace_over;
	supervisor->strays.owner = supervisor;
}

void strays_expect(struct supervisor *supervisor)
{
	loop_timer_start(&supervisor->loop, &supervisor->strays, GRACE_US);
}

#define ROUND_NS      5000000
#define ROUNDS_WAITED 400 /* two seconds, as above */
#define ROUNDS_MAX    600 /* a killed process is gone in a few */

void strays_end(const struct supervisor *supervisor)
{
	const struct timespec round = {.tv_nsec = ROUND_NS};

	for (int i = 0; i < ROUNDS_MAX; i++) {
		pid_t reaped;

		do {
			reaped = waitpid(-1, NULL, WNOHANG);
		} while (reaped > 0);
		if (reaped < 0)
			return; /* no child is left */
		if (i >= ROUNDS_WAITED)
			strays_kill(supervisor);
		(void)nanosleep(&round, NULL);
	}
}
