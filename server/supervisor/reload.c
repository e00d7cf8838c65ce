#include "server/supervisor/reload.h"

#include <string.h>

#include "base/confine.h"
#include "base/log.h"
#include "server/supervisor/handout.h"
#include "server/supervisor/notify.h"
#include "server/supervisor/prepare.h"

/* A front that reads a large revocation list is the slowest. */
#define RELOAD_US (15ull * 1000000)

/* What a running service cannot change; a new value waits for the next start. */
static const char *const fixed[] = {
	"listen", "operations", "state_directory", "database", "validators", "uid_base",
};

/* The front is asked first: keys are what a reload is mostly about, and what only it can judge.
 * The ledger comes after the validators, because it asks them by the names of policies.
 */
static const enum setup_role order[] = {
	SETUP_ROLE_FRONT,  SETUP_ROLE_VALIDATOR, SETUP_ROLE_LEDGER,
	SETUP_ROLE_WARDEN, SETUP_ROLE_GATE,
};

static void finish(struct supervisor *supervisor)
{
	struct reload *reload = &supervisor->reload;

	loop_timer_stop(&supervisor->loop, &reload->deadline);
	config_done(&reload->candidate);
	reload->is_active = false;
	notify_send("READY=1");
	if (reload->is_wanted) {
		reload->is_wanted = false;
		reload_start(supervisor);
	}
}

static size_t place_in_order(const struct child *child)
{
	size_t place = 0;

	while (place < ARRAY_COUNT(order) && order[place] != child->role)
		place++;
	return place;
}

/* Every text line of a refusal becomes one log line. */
static void log_refusal(const char *who, const char *why)
{
	while (*why != '\0') {
		size_t length = strcspn(why, "\n");
		char line[ERR_TEXT_MAX];

		(void)snprintf(line, sizeof(line), "%.*s", (int)length, why);
		log_event(LOG_ERROR, "reload_refused", LOG_STR("by", who),
			  LOG_STR("why", line));
		why += length + (why[length] == '\n');
	}
}

static void tell(struct child *child, const struct config *config)
{
	struct err err = {0};

	if (handout_config(child, config, &err) == 0) {
		handout_commit(child);
		return;
	}
	reload_refused(child, err.text);
}

/* Tells the next place of the order, or ends the reload when all have accepted. */
static void tell_place(struct supervisor *supervisor)
{
	struct reload *reload = &supervisor->reload;

	for (size_t i = 0; i < supervisor->child_count && reload->is_active; i++) {
		struct child *child = &supervisor->children[i];

		if (place_in_order(child) == reload->at)
			tell(child, &reload->candidate);
	}
}

static bool is_place_answered(const struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->child_count; i++) {
		const struct child *child = &supervisor->children[i];

		if (place_in_order(child) == supervisor->reload.at &&
		    child->commits_pending > 0)
			return false;
	}
	return true;
}

void reload_accepted(struct child *child)
{
	struct supervisor *supervisor = child->supervisor;
	struct reload *reload = &supervisor->reload;

	if (!reload->is_active || reload->candidate.root == NULL ||
	    !is_place_answered(supervisor))
		return;
	reload->at++;
	if (reload->at < ARRAY_COUNT(order)) {
		tell_place(supervisor);
		return;
	}
	config_done(&supervisor->config);
	supervisor->config = reload->candidate;
	reload->candidate = (struct config)CONFIG_EMPTY;
	log_event(LOG_INFO, "reloaded", LOG_STR("config", supervisor->config_path));
	finish(supervisor);
}

static void put_back(struct supervisor *supervisor, size_t places)
{
	for (size_t i = 0; i < supervisor->child_count; i++) {
		struct child *child = &supervisor->children[i];
		struct err err = {0};

		if (place_in_order(child) >= places || child->state != CHILD_READY)
			continue;
		if (handout_config(child, &supervisor->config, &err) == 0)
			handout_commit(child);
		else
			log_refusal("supervisor", err.text);
	}
}

void reload_refused(struct child *child, const char *why)
{
	struct supervisor *supervisor = child->supervisor;
	size_t places = supervisor->reload.at + 1;

	if (!supervisor->reload.is_active || supervisor->reload.candidate.root == NULL)
		return;
	log_refusal(child->name, why);
	config_done(&supervisor->reload.candidate);
	put_back(supervisor, places);
	finish(supervisor);
}

static void deadline_fire(struct loop *loop, struct timer *timer)
{
	struct supervisor *supervisor = timer->owner;

	(void)loop;
	for (size_t i = 0; i < supervisor->child_count; i++) {
		struct child *child = &supervisor->children[i];

		if (place_in_order(child) == supervisor->reload.at &&
		    child->commits_pending > 0) {
			reload_refused(child, "it did not answer in time");
			return;
		}
	}
}

static bool is_changed(const struct config *old, const struct config *new, const char *member)
{
	return !json_equal(config_get(old, member), config_get(new, member));
}

/* The processes look at their start only, and the kernel's does not change under them. */
static int check_minimum(const struct config *candidate, struct err *err)
{
	unsigned wanted = (unsigned)config_number(candidate, "isolation.landlock_abi_min");
	unsigned abi = confine_landlock_abi();

	if (abi >= wanted)
		return 0;
	return err_set(err, ENOTSUP,
		       "Landlock ABI %u is required, the kernel has %u: use a newer kernel, or "
		       "lower isolation.landlock_abi_min",
		       wanted, abi);
}

static void begin(struct supervisor *supervisor)
{
	struct reload *reload = &supervisor->reload;

	for (size_t i = 0; i < ARRAY_COUNT(fixed); i++)
		if (is_changed(&supervisor->config, &reload->candidate, fixed[i]))
			log_event(LOG_WARN, "needs_restart", LOG_STR("member", fixed[i]));
	for (size_t i = 0; i < supervisor->child_count; i++)
		if (supervisor->children[i].state != CHILD_READY) {
			reload_refused(&supervisor->children[i],
				       "it is not running: send SIGHUP again when it is");
			return;
		}
	reload->at = 0;
	loop_timer_start(&supervisor->loop, &reload->deadline, RELOAD_US);
	tell_place(supervisor);
}

static void checked(struct oneshot *oneshot, int *output_fd, const char *failure)
{
	struct supervisor *supervisor = oneshot->owner;
	struct err err = {0};

	if (supervisor->phase != PHASE_SERVING)
		return;
	if (failure == NULL &&
	    (prepare_config(supervisor, *output_fd, &supervisor->reload.candidate, &err) < 0 ||
	     check_minimum(&supervisor->reload.candidate, &err) < 0))
		failure = err.text;
	if (failure == NULL) {
		begin(supervisor);
		return;
	}
	log_refusal("supervisor", failure);
	finish(supervisor);
}

void reload_init(struct supervisor *supervisor)
{
	supervisor->reload.candidate = (struct config)CONFIG_EMPTY;
	supervisor->reload.deadline.fire = deadline_fire;
	supervisor->reload.deadline.owner = supervisor;
}

void reload_start(struct supervisor *supervisor)
{
	struct reload *reload = &supervisor->reload;
	struct err err = {0};

	if (supervisor->phase != PHASE_SERVING || reload->is_active) {
		reload->is_wanted = true;
		return;
	}
	notify_reloading();
	reload->is_active = true;
	supervisor->oneshot.done = checked;
	if (oneshot_start(&supervisor->oneshot, &supervisor->loop, "casemate-validator",
			  "config", supervisor->config_path, &err) == 0)
		return;
	log_refusal("supervisor", err.text);
	finish(supervisor);
}
