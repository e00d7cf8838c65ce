#include "server/supervisor/child.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/self.h"
#include "server/supervisor/handout.h"
#include "server/supervisor/spawn.h"
#include "server/supervisor/supervisor.h"

/* Until READY. The warden imports pandas into its zygotes, on a cold disk, under a sanitizer.
 */
#define START_US (60ull * 1000000)
/* Between losing the channel and being reaped; a process that is dying needs no more. */
#define LINGER_US (200ull * 1000)
/* A death this soon after its start counts as one of a crash loop. */
#define QUICK_DEATH_US	 (10ull * 1000000)
#define BACKOFF_FIRST_US (100ull * 1000)
#define BACKOFF_MAX_US	 (5ull * 1000000) /* a fault that heals is noticed soon enough */

bool child_is_up(const struct child *child)
{
	return child->chan.fd >= 0;
}

void child_send(struct child *child, uint16_t type, const struct wr *body, const int *fds,
		unsigned fd_count)
{
	child_send_numbered(child, type, 0, body, fds, fd_count);
}

void child_send_numbered(struct child *child, uint16_t type, uint64_t id, const struct wr *body,
			 const int *fds, unsigned fd_count)
{
	struct err err = {0};

	if (!child_is_up(child))
		return;
	if (body->has_failed)
		err_ignore(err_set(&err, EMSGSIZE, "set-up message %u is too long", type),
			   "below");
	else if (chan_send(&child->chan, type, id, body->data, body->length, fds, fd_count,
			   &err) == 0)
		return;
	log_event(LOG_WARN, "setup_failed", LOG_STR("child", child->name),
		  LOG_STR("why", err.text));
	/* The channel is closed and calls nobody back; the event must not arrive while the
	 * caller still walks its list, so it comes by the timer. */
	chan_close(&child->chan);
	loop_timer_start(&child->supervisor->loop, &child->deadline, 0);
}

/* --- what the child says ----------------------------------------------------------------- */

static int serve_ready(void *owner, struct msg *msg, struct err *err)
{
	struct child *child = owner;
	struct setup_ready ready;
	int status = setup_ready_decode(msg->body, msg->length, &ready, err);

	if (status < 0)
		return status;
	log_event(LOG_INFO, "child_ready", LOG_STR("child", child->name),
		  LOG_INT("pid", child->pid),
		  LOG_INT("start_ms", (clock_mono_us() - child->started_us) / 1000),
		  LOG_INT("landlock_abi", ready.landlock_abi), LOG_STR("detail", ready.detail));
	child_event(child, CHILD_SAYS_READY);
	return 0;
}

static int serve_failed(void *owner, struct msg *msg, struct err *err)
{
	struct child *child = owner;
	struct setup_failed failed;
	int status = setup_failed_decode(msg->body, msg->length, &failed, err);

	if (status < 0)
		return status;
	(void)snprintf(child->detail, sizeof(child->detail), "%s", failed.detail);
	child_event(child, CHILD_SAYS_FAILED);
	return 0;
}

static int serve_drained(void *owner, struct msg *msg, struct err *err)
{
	struct setup_drained drained;
	int status = setup_drained_decode(msg->body, msg->length, &drained, err);

	if (status == 0)
		child_event(owner, CHILD_SAYS_DRAINED);
	return status;
}

static int serve_peer_lost(void *owner, struct msg *msg, struct err *err)
{
	struct child *child = owner;
	struct setup_peer_lost lost;
	int status = setup_peer_lost_decode(msg->body, msg->length, &lost, err);

	if (status == 0)
		peers_lost(&child->supervisor->peers, child, msg->id);
	return status;
}

#define IN(state) (1u << (state))
#define ALIVE	  (IN(CHILD_STARTING) | IN(CHILD_READY) | IN(CHILD_DRAINING) | IN(CHILD_ENDING))

static const struct route routes[] = {
	{SETUP_READY, IN(CHILD_STARTING) | IN(CHILD_READY) | IN(CHILD_DRAINING), 0, 0,
	 serve_ready},
	{SETUP_FAILED, IN(CHILD_STARTING) | IN(CHILD_READY) | IN(CHILD_DRAINING), 0, 0,
	 serve_failed},
	{SETUP_DRAINED, IN(CHILD_DRAINING), 0, 0, serve_drained},
	{SETUP_PEER_LOST, ALIVE, 0, 0, serve_peer_lost},
};

static void chan_serve(struct chan *chan, struct msg *msg)
{
	struct child *child = chan->owner;
	struct err err = {0};

	if (route_dispatch(routes, ARRAY_COUNT(routes), IN(child->state), child, msg, &err) ==
	    0)
		return;
	log_event(LOG_ERROR, "protocol", LOG_STR("child", child->name),
		  LOG_STR("why", err.text));
	chan_close(chan);
	child_event(child, CHILD_LOST);
}

static void chan_lost(struct chan *chan, const struct err *why)
{
	(void)why;
	child_event(chan->owner, CHILD_LOST);
}

/* --- actions of the state table ---------------------------------------------------------- */

static struct loop *loop_of(const struct child *child)
{
	return &child->supervisor->loop;
}

static int process_start(struct child *child, struct err *err)
{
	char path[PATH_MAX];
	const char *argv[] = {child->program, NULL};
	struct spawn spawn = {.path = path,
			      .argv = argv,
			      .stdout_fd = STDERR_FILENO,
			      .stderr_fd = STDERR_FILENO};
	int pair[2];
	own_fd theirs = -1;
	int status = self_path(child->program, path, sizeof(path), err);

	if (status == 0)
		status = chan_pair(pair, err);
	if (status < 0)
		return status;
	theirs = pair[1];
	status = chan_open(&child->chan, loop_of(child), pair[0], err);
	if (status < 0)
		return status;
	spawn.channel_fd = theirs;
	status = spawn_start(&spawn, &child->pid, err);
	if (status < 0)
		chan_close(&child->chan);
	return status;
}

static void act_start(struct child *child)
{
	struct supervisor *supervisor = child->supervisor;
	struct err err = {0};
	int status;

	child->detail[0] = '\0';
	child->commits_pending = 0;
	child->started_us = clock_mono_us();
	status = process_start(child, &err);
	if (status == 0) {
		loop_timer_start(loop_of(child), &child->deadline, START_US);
		handout_hello(child, &supervisor->config);
		status = handout_config(child, &supervisor->config, &err);
	}
	if (status == 0)
		status = peers_introduce(&supervisor->peers, child, &err);
	if (status == 0) {
		handout_commit(child);
		return;
	}
	(void)snprintf(child->detail, sizeof(child->detail), "%s", err.text);
	chan_close(&child->chan);
	/* The end of a process is reported by itself; that there is none, only by us. */
	if (child->pid > 0)
		(void)kill(child->pid, SIGKILL);
	else
		child_event(child, CHILD_EXITED);
}

static void answered(struct child *child)
{
	if (child->commits_pending > 0)
		child->commits_pending--;
}

static void act_ready(struct child *child)
{
	loop_timer_stop(loop_of(child), &child->deadline);
	answered(child);
	supervisor_child_ready(child);
}

static void act_refused(struct child *child)
{
	answered(child);
	supervisor_child_refused(child);
}

/* It said, or its closed channel says, that it is about to end. */
static void act_linger(struct child *child)
{
	loop_timer_start(loop_of(child), &child->deadline, LINGER_US);
}

static void act_late(struct child *child)
{
	(void)snprintf(child->detail, sizeof(child->detail), "%s",
		       child_is_up(child) ? "it did not get ready in time"
					  : "its channel broke");
	(void)kill(child->pid, SIGKILL);
}

static void act_kill(struct child *child)
{
	if (child->pid > 0)
		(void)kill(child->pid, SIGKILL);
}

static void act_drain(struct child *child)
{
	handout_drain(child, child->drain_ms);
}

static void log_end(const struct child *child)
{
	bool is_signal = WIFSIGNALED(child->wait_status);
	bool is_expected = child->state == CHILD_DRAINING && child->wait_status == 0;

	log_event(is_expected ? LOG_INFO : LOG_WARN, "child_ended",
		  LOG_STR("child", child->name), LOG_INT("pid", child->pid),
		  is_signal ? LOG_INT("signal", WTERMSIG(child->wait_status))
			    : LOG_INT("exit_code", WEXITSTATUS(child->wait_status)),
		  LOG_STR("detail", child->detail));
}

static void act_bury(struct child *child)
{
	loop_timer_stop(loop_of(child), &child->deadline);
	chan_close(&child->chan);
	peers_forget(&child->supervisor->peers, child);
	if (clock_mono_us() - child->started_us > QUICK_DEATH_US)
		child->quick_deaths = 0;
	child->pid = 0;
	supervisor_child_ended(child);
}

static void act_none(struct child *child)
{
	(void)child;
}

/* --- the state table --------------------------------------------------------------------- */

struct transition {
	void (*act)(struct child *child); /* NULL: the event means nothing in this state */
	enum child_state next;
};

/* The new state is set before the action, which may cause further events. */
static const struct transition table[CHILD_STATE_MAX][CHILD_EVENT_MAX] = {
	[CHILD_DOWN] =
		{
			[CHILD_START] = {act_start, CHILD_STARTING},
			[CHILD_DRAIN] = {act_none, CHILD_GONE},
			[CHILD_KILL] = {act_none, CHILD_GONE},
		},
	[CHILD_STARTING] =
		{
			[CHILD_SAYS_READY] = {act_ready, CHILD_READY},
			[CHILD_SAYS_FAILED] = {act_linger, CHILD_ENDING},
			[CHILD_LOST] = {act_linger, CHILD_ENDING},
			[CHILD_LATE] = {act_late, CHILD_ENDING},
			[CHILD_DRAIN] = {act_kill, CHILD_ENDING},
			[CHILD_KILL] = {act_kill, CHILD_ENDING},
			[CHILD_EXITED] = {act_bury, CHILD_DOWN},
		},
	[CHILD_READY] =
		{
			[CHILD_SAYS_READY] = {act_ready, CHILD_READY}, /* a reload, accepted */
			[CHILD_SAYS_FAILED] = {act_refused, CHILD_READY},
			[CHILD_LOST] = {act_linger, CHILD_ENDING},
			[CHILD_LATE] = {act_late, CHILD_ENDING},
			[CHILD_DRAIN] = {act_drain, CHILD_DRAINING},
			[CHILD_KILL] = {act_kill, CHILD_ENDING},
			[CHILD_EXITED] = {act_bury, CHILD_DOWN},
		},
	[CHILD_DRAINING] =
		{
			[CHILD_SAYS_DRAINED] = {act_none, CHILD_DRAINING},
			[CHILD_LATE] = {act_kill, CHILD_ENDING},
			[CHILD_KILL] = {act_kill, CHILD_ENDING},
			[CHILD_EXITED] = {act_bury, CHILD_GONE},
		},
	[CHILD_ENDING] =
		{
			[CHILD_LATE] = {act_kill, CHILD_ENDING},
			[CHILD_KILL] = {act_kill, CHILD_ENDING},
			[CHILD_EXITED] = {act_bury, CHILD_DOWN},
		},
};

void child_event(struct child *child, enum child_event event)
{
	const struct transition *transition = &table[child->state][event];

	if (transition->act == NULL)
		return;
	if (event == CHILD_EXITED)
		log_end(child);
	child->state = transition->next;
	transition->act(child);
}

/* --- start and restart ------------------------------------------------------------------- */

static void deadline_fire(struct loop *loop, struct timer *timer)
{
	(void)loop;
	child_event(timer->owner, CHILD_LATE);
}

static void restart_fire(struct loop *loop, struct timer *timer)
{
	(void)loop;
	child_event(timer->owner, CHILD_START);
}

static const struct {
	const char *name;
	const char *program;
} programs[SETUP_ROLE_MAX + 1] = {
	[SETUP_ROLE_FRONT] = {"front", "casemate-front"},
	[SETUP_ROLE_GATE] = {"gate", "casemate-gate"},
	[SETUP_ROLE_LEDGER] = {"ledger", "casemate-ledger"},
	[SETUP_ROLE_VALIDATOR] = {"validator", "casemate-validator"},
	[SETUP_ROLE_WARDEN] = {"warden", "casemate-warden"},
};

void child_init(struct child *child, struct supervisor *supervisor, enum setup_role role)
{
	*child = (struct child){
		.supervisor = supervisor,
		.role = role,
		.name = programs[role].name,
		.program = programs[role].program,
		.state = CHILD_DOWN,
		.chan = {.fd = -1, .serve = chan_serve, .lost = chan_lost, .owner = child},
		.deadline = {.fire = deadline_fire, .owner = child},
		.restart = {.fire = restart_fire, .owner = child},
	};
}

void child_schedule(struct child *child)
{
	uint64_t delay_us = 0;

	for (unsigned i = 0; i < child->quick_deaths && delay_us < BACKOFF_MAX_US; i++)
		delay_us = delay_us == 0 ? BACKOFF_FIRST_US : 2 * delay_us;
	if (delay_us > BACKOFF_MAX_US)
		delay_us = BACKOFF_MAX_US;
	child->quick_deaths++;
	if (delay_us > 0)
		log_event(LOG_WARN, "crash_loop", LOG_STR("child", child->name),
			  LOG_INT("deaths", child->quick_deaths),
			  LOG_INT("restart_in_ms", delay_us / 1000));
	loop_timer_start(loop_of(child), &child->restart, delay_us);
}
