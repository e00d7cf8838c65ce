#include "sandbox/warden/boost.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "sandbox/warden/ageing.h"
#include "sandbox/warden/booster.h"
#include "sandbox/warden/warden.h"

/* The booster's first word, or what its death stands for. */
static int hear(int fd)
{
	int refusal = 0;
	ssize_t got;

	do
		got = read(fd, &refusal, sizeof(refusal));
	while (got < 0 && errno == EINTR);
	return got == sizeof(refusal) ? refusal : ECHILD;
}

int boost_open(uint32_t uid_first, uint32_t uid_count, int *ret_fd, struct err *err)
{
	own_fd mine = -1;
	own_fd its = -1;
	int ends[2];
	pid_t pid;
	int refusal;

	*ret_fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return err_errno(err, errno, "socket to the booster");
	mine = ends[0];
	its = ends[1];
	pid = fork();
	if (pid < 0)
		return err_errno(err, errno, "fork the booster");
	if (pid == 0)
		booster_run(its, uid_first, uid_count);
	fd_drop(&its);
	refusal = hear(mine);
	if (refusal == 0) {
		*ret_fd = fd_take(&mine);
		return 0;
	}
	(void)waitpid(pid, NULL, 0);
	log_event(
		LOG_INFO, "no_boost", LOG_STR("why", strerror(refusal)),
		LOG_STR("effect", "short jobs beside busy ones are slower"),
		LOG_STR("remedy", "root with CAP_SYS_NICE, and every processor in the cpuset"));
	return 0;
}

/* Without the booster no job would lose its boost, and one that has used it up waits for most
 * of every period. */
static int order(struct slot *slot, bool is_raised)
{
	struct warden *warden = slot->warden;
	const struct boost_order body = {slot_job_pid(slot), is_raised ? 1 : 0};
	struct err err = {0};

	if (send(warden->boost_fd, &body, sizeof(body), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	if (errno == EAGAIN || errno == EINTR)
		return -EAGAIN;
	err_ignore(err_errno(&err, errno, "give an order to the booster, which has gone"),
		   "told by the next line");
	warden_die(warden, &err);
}

/* A job that has run for so long is like all others. */
static void fired(struct loop *loop, struct timer *timer)
{
	struct slot *slot = timer->owner;

	if (order(slot, false) == 0)
		slot->is_boosted = false;
	else
		loop_timer_start(loop, timer, BOOST_US);
}

static void give(struct slot *slot)
{
	if (!slot->is_boosted && order(slot, true) == 0)
		slot->is_boosted = true;
}

void boost_give(struct slot *slot)
{
	struct warden *warden = slot->warden;

	if (warden->boost_fd < 0)
		return;
	for (unsigned i = 0; i < warden->slot_count; i++)
		if (ageing_is_aged(&warden->slots[i])) {
			give(slot);
			return;
		}
}

void boost_give_all(struct warden *warden)
{
	if (warden->boost_fd < 0)
		return;
	for (unsigned i = 0; i < warden->slot_count; i++)
		if (warden->slots[i].state == SLOT_READY)
			give(&warden->slots[i]);
}

void boost_begin(struct slot *slot)
{
	if (!slot->is_boosted || slot->boost_timer.is_armed)
		return;
	slot->boost_timer.fire = fired;
	loop_timer_start(&slot->warden->loop, &slot->boost_timer, BOOST_US);
}
