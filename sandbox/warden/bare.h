/*
 * sandbox/warden/bare.h - a worker without a cell (level landlock): what the warden does in
 * place of the cell's init, pid namespace and mounts.
 *
 * Its place is a folder. Its processes are held together by its control group; where there is
 * none it may have no second process (no_processes.def), so that killing the worker is enough.
 */
#ifndef SANDBOX_WARDEN_BARE_H
#define SANDBOX_WARDEN_BARE_H

#include "sandbox/warden/slot.h"

/* True when a control group holds each worker's processes together. */
bool bare_has_groups(const struct warden *warden);

/* The worker's own user; 0: it has the warden's. */
uint32_t bare_user(const struct slot *slot);

/* Makes the folder: slot->place_fd and slot->workspace_fd. */
nodiscard int bare_make(struct slot *slot, struct err *err);

/* Kills everything but the worker itself; once is not enough, see bare_sweep(). */
void bare_kill(struct slot *slot);

/* The kernel lets a process change limits of those of its own real user only, so the warden
 * takes the worker's for as long as that lasts. Before the job comes: a job could then signal
 * it. */
nodiscard int bare_user_take(const struct slot *slot, struct err *err);
nodiscard int bare_user_give_back(const struct slot *slot, struct err *err);

/* True when no process but the worker can be alive. */
bool bare_is_alone(const struct slot *slot);

/* The worker is gone and something of it lives on: kills and reaps until nothing does, then
 * says so by ending_look_again(). */
void bare_sweep(struct slot *slot);

/* The job begins: from now on its workspace is counted. */
void bare_watch_space(struct slot *slot);

/* All are dead: the folder is removed, beside the loop. False: not yet; ending_look_again()
 * follows. */
nodiscard bool bare_clear(struct slot *slot);

#endif
