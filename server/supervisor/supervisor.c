#include "server/supervisor/supervisor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/supervisor/drain.h"
#include "server/supervisor/notify.h"
#include "server/supervisor/prepare.h"
#include "server/supervisor/reload.h"
#include "server/supervisor/state.h"
#include "server/supervisor/strays.h"

/* A terminal, make and a script that forwards may all deliver the same wish to stop. */
#define SAME_SIGNAL_US (500ull * 1000)

void supervisor_init(struct supervisor *supervisor, const char *config_path)
{
	*supervisor = (struct supervisor){
		.phase = PHASE_PREPARING,
		.config = CONFIG_EMPTY,
		.is_root = geteuid() == 0,
		.state_fd = -1,
		.lock_fd = -1,
		.schema_fd = -1,
		.openapi_fd = -1,
		.listen_fd = -1,
		.operations_fd = -1,
		.oneshot = {.output_fd = -1, .error_fd = -1},
	};
	(void)snprintf(supervisor->config_path, sizeof(supervisor->config_path), "%s",
		       config_path);
	reload_init(supervisor);
	drain_init(supervisor);
	strays_init(supervisor);
}

int supervisor_start(struct supervisor *supervisor, struct err *err)
{
	return prepare_start(supervisor, err);
}

static bool is_anyone_alive(const struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->child_count; i++)
		if (supervisor->children[i].pid > 0)
			return true;
	return supervisor->oneshot.pid > 0;
}

static void leave_when_alone(struct supervisor *supervisor)
{
	if (supervisor->phase == PHASE_STOPPING && !is_anyone_alive(supervisor))
		loop_stop(&supervisor->loop);
}

void supervisor_kill(struct supervisor *supervisor)
{
	supervisor->phase = PHASE_STOPPING;
	for (size_t i = 0; i < supervisor->child_count; i++)
		child_event(&supervisor->children[i], CHILD_KILL);
	oneshot_kill(&supervisor->oneshot);
	leave_when_alone(supervisor);
}

void supervisor_fail(struct supervisor *supervisor, const char *why)
{
	if (supervisor->phase == PHASE_STOPPING)
		return;
	(void)fprintf(stderr, "casemate: %s\n", why);
	supervisor->exit_code = 1;
	supervisor_kill(supervisor);
}

void supervisor_stop(struct supervisor *supervisor)
{
	struct drain *drain = &supervisor->drain;
	bool is_repeated = drain->asked_us != 0;

	if (is_repeated && clock_mono_us() - drain->asked_us < SAME_SIGNAL_US)
		return;
	if (!is_repeated)
		drain->asked_us = clock_mono_us();
	if (supervisor->phase == PHASE_SERVING) {
		drain_start(supervisor);
		return;
	}
	if (is_repeated)
		log_event(LOG_WARN, "stopping_at_once", LOG_STR("why", "second signal"));
	supervisor_kill(supervisor);
}

/* --- ready ------------------------------------------------------------------------------- */

static int publish(struct supervisor *supervisor, struct err *err)
{
	const char *address = config_text(&supervisor->config, "operations.address");
	const char *format =
		strchr(address, ':') == NULL ? "http://%s:%u\n" : "http://[%s]:%u\n";
	char url[64];
	char operations[96];
	int status;

	(void)snprintf(url, sizeof(url), "https://localhost:%u\n", supervisor->port);
	if (strchr(format, '[') == NULL)
		(void)snprintf(operations, sizeof(operations), "http://%s:%u\n", address,
			       supervisor->operations_port);
	else
		(void)snprintf(operations, sizeof(operations), "http://[%s]:%u\n", address,
			       supervisor->operations_port);
	/* The other one first: whoever sees `listening` may rely on both. */
	status = state_write(supervisor->state_fd, "listening-operations", operations, err);
	if (status == 0)
		status = state_write(supervisor->state_fd, "listening", url, err);
	if (status < 0)
		return status;
	url[strlen(url) - 1] = '\0';
	operations[strlen(operations) - 1] = '\0';
	(void)printf("%s\n", url);
	(void)fflush(stdout);
	log_event(LOG_INFO, "listening", LOG_STR("url", url),
		  LOG_STR("operations", operations));
	return 0;
}

static bool are_all_ready(const struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->child_count; i++)
		if (supervisor->children[i].state != CHILD_READY)
			return false;
	return true;
}

void supervisor_child_ready(struct child *child)
{
	struct supervisor *supervisor = child->supervisor;
	struct err err = {0};

	if (supervisor->phase == PHASE_SERVING)
		reload_accepted(child);
	if (supervisor->phase == PHASE_DRAINING)
		drain_child_ready(child);
	if (supervisor->phase != PHASE_STARTING || !are_all_ready(supervisor))
		return;
	if (publish(supervisor, &err) < 0) {
		supervisor_fail(supervisor, err.text);
		return;
	}
	supervisor->phase = PHASE_SERVING;
	notify_send("READY=1");
	if (supervisor->reload.is_wanted) {
		supervisor->reload.is_wanted = false;
		reload_start(supervisor);
	}
}

void supervisor_child_refused(struct child *child)
{
	reload_refused(child, child->detail);
}

/* --- the end of a process ---------------------------------------------------------------- */

static void fail_start(struct supervisor *supervisor, const struct child *child)
{
	char why[ERR_TEXT_MAX + 64];

	if (child->detail[0] != '\0')
		(void)snprintf(why, sizeof(why), "%s: %s", child->program, child->detail);
	else if (WIFSIGNALED(child->wait_status))
		(void)snprintf(why, sizeof(why),
			       "%s was killed by signal %d before it was ready", child->program,
			       WTERMSIG(child->wait_status));
	else if (WEXITSTATUS(child->wait_status) == 127)
		(void)snprintf(why, sizeof(why),
			       "%s cannot be executed: is the installation complete?",
			       child->program);
	else
		(void)snprintf(why, sizeof(why), "%s exited with %d before it was ready",
			       child->program, WEXITSTATUS(child->wait_status));
	supervisor_fail(supervisor, why);
}

void supervisor_child_ended(struct child *child)
{
	struct supervisor *supervisor = child->supervisor;

	if (child->role == SETUP_ROLE_WARDEN)
		strays_expect(supervisor);
	switch (supervisor->phase) {
	case PHASE_STARTING:
		fail_start(supervisor, child);
		break;
	case PHASE_SERVING:
		reload_refused(child, "it ended in the middle of a reload");
		child_schedule(child);
		break;
	case PHASE_DRAINING:
		drain_child_ended(child);
		break;
	case PHASE_PREPARING:
	case PHASE_STOPPING:
		break;
	}
}

static void reap_one(struct supervisor *supervisor, pid_t pid, int wait_status)
{
	if (pid == supervisor->oneshot.pid) {
		oneshot_exited(&supervisor->oneshot, wait_status);
		return;
	}
	for (size_t i = 0; i < supervisor->child_count; i++) {
		struct child *child = &supervisor->children[i];

		if (child->pid != pid)
			continue;
		child->wait_status = wait_status;
		child_event(child, CHILD_EXITED);
		return;
	}
	/* An orphan of one of our processes; its own orphans are ours now. */
	strays_expect(supervisor);
}

void supervisor_reap(struct supervisor *supervisor)
{
	int wait_status;
	pid_t pid;

	while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0)
		reap_one(supervisor, pid, wait_status);
	leave_when_alone(supervisor);
}

void supervisor_done(struct supervisor *supervisor)
{
	strays_end(supervisor);
	if (supervisor->lock_fd >= 0) {
		state_remove(supervisor->state_fd, "listening");
		state_remove(supervisor->state_fd, "listening-operations");
	}
	config_done(&supervisor->config);
	config_done(&supervisor->reload.candidate);
	fd_drop(&supervisor->listen_fd);
	fd_drop(&supervisor->operations_fd);
	fd_drop(&supervisor->openapi_fd);
	fd_drop(&supervisor->schema_fd);
	fd_drop(&supervisor->state_fd);
	fd_drop(&supervisor->lock_fd);
}
