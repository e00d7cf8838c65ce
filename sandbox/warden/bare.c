#include "sandbox/warden/bare.h"

#include <stdio.h>
#include <sys/syscall.h>

#include "base/log.h"
#include "sandbox/warden/ending.h"
#include "sandbox/warden/run.h"
#include "sandbox/warden/warden.h"

#define SWEEP_US 2000 /* a killed process goes in less, unless it is in the kernel */
/* What a job can write meanwhile is what the limit may be passed by. */
#define SPACE_US 100000

bool bare_has_groups(const struct warden *warden)
{
	return (warden->cgroups.layers & LAYER_CGROUP_PIDS) != 0;
}

uint32_t bare_user(const struct slot *slot)
{
	bool is_off = (slot->warden->config.layers_disabled & LAYER_OWN_UID) != 0;

	return is_off ? 0 : slot->uid;
}

static void folder_name(const struct slot *slot, char *ret, size_t size)
{
	(void)snprintf(ret, size, "w%u", slot->index);
}

int bare_make(struct slot *slot, struct err *err)
{
	const struct workspaces *workspaces = &slot->warden->workspaces;
	char name[16];
	int status;

	folder_name(slot, name, sizeof(name));
	/* What an end could not remove. */
	status = workspace_folder_remove(workspaces, name, err);
	slot->workspace_bytes = LIMIT_WORKSPACE_BYTES_DEFAULT;
	return status < 0 ? status
			  : workspace_folder_make(workspaces, name, bare_user(slot),
						  &slot->place_fd, &slot->workspace_fd, err);
}

/* Raw calls: glibc's signal every thread, and there is one. */
static int become_real(uint32_t uid, struct err *err)
{
	if (syscall(SYS_setresgid, uid, -1, -1) != 0 ||
	    syscall(SYS_setresuid, uid, -1, -1) != 0)
		return err_errno(err, errno, "become the real user %u", uid);
	return 0;
}

int bare_user_take(const struct slot *slot, struct err *err)
{
	return bare_user(slot) == 0 ? 0 : become_real(slot->uid, err);
}

int bare_user_give_back(const struct slot *slot, struct err *err)
{
	return bare_user(slot) == 0 ? 0 : become_real(slot->warden->config.uid_first, err);
}

void bare_kill(struct slot *slot)
{
	if (bare_has_groups(slot->warden))
		cgroup_group_kill(&slot->warden->cgroups, &slot->group);
}

bool bare_is_alone(const struct slot *slot)
{
	return !bare_has_groups(slot->warden) || !slot->group.is_made ||
	       cgroup_group_is_empty(&slot->group) ||
	       (!slot->is_worker_gone && cgroup_group_is_single(&slot->group));
}

static void sweep(struct loop *loop, struct timer *timer)
{
	struct slot *slot = timer->owner;

	(void)loop;
	ending_reap_strangers(slot->warden);
	if (bare_is_alone(slot)) {
		ending_look_again(slot);
		return;
	}
	bare_kill(slot);
	bare_sweep(slot);
}

void bare_sweep(struct slot *slot)
{
	slot->bare_timer.fire = sweep;
	loop_timer_start(&slot->warden->loop, &slot->bare_timer, SWEEP_US);
}

static void count_aside(void *context)
{
	struct slot *slot = context;
	char name[16];

	folder_name(slot, name, sizeof(name));
	slot->is_over_space = workspace_folder_is_over(
		&slot->warden->workspaces, name, slot->workspace_bytes, LIMIT_WORKSPACE_INODES);
}

static void has_counted(void *context)
{
	struct slot *slot = context;

	if (slot->job == NULL || slot->state != SLOT_BUSY || slot->is_worker_gone) {
		/* The end may have waited for this. */
		ending_look_again(slot);
		return;
	}
	if (!slot->is_over_space) {
		loop_timer_start(&slot->warden->loop, &slot->bare_timer, SPACE_US);
		return;
	}
	log_event(LOG_INFO, "workspace_full", LOG_INT("slot", slot->index),
		  LOG_STR("execution", slot->job->start.execution_id));
	run_stop(slot, STATUS_KILLED, LIMIT_HIT_WORKSPACE);
}

static void look_at_space(struct loop *loop, struct timer *timer)
{
	struct slot *slot = timer->owner;

	(void)loop;
	if (slot->job != NULL && slot->state == SLOT_BUSY && !slot->is_worker_gone)
		aside_begin(slot->aside, count_aside, has_counted, slot);
}

void bare_watch_space(struct slot *slot)
{
	slot->bare_timer.fire = look_at_space;
	loop_timer_start(&slot->warden->loop, &slot->bare_timer, SPACE_US);
}

static void remove_aside(void *context)
{
	struct slot *slot = context;
	struct err err = {0};
	char name[16];

	folder_name(slot, name, sizeof(name));
	/* What stays is told of and tried again when the slot's next worker is made. */
	if (workspace_folder_remove(&slot->warden->workspaces, name, &err) < 0)
		log_event(LOG_ERROR, "folder_stays", LOG_INT("slot", slot->index),
			  LOG_STR("why", err.text));
}

static void has_removed(void *context)
{
	struct slot *slot = context;

	slot->is_clearing = false;
	slot->is_cleared = true;
	ending_look_again(slot);
}

bool bare_clear(struct slot *slot)
{
	if (slot->is_cleared || slot->aside == NULL)
		return true;
	/* Busy with counting: that looks here again when it is done. */
	if (!slot->is_clearing && !aside_is_busy(slot->aside)) {
		slot->is_clearing = true;
		aside_begin(slot->aside, remove_aside, has_removed, slot);
	}
	return false;
}
