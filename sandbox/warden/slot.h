/*
 * sandbox/warden/slot.h - one place for a worker: its cell, its processes, its control group.
 *
 * Slots are a fixed array. What is expensive and holds no trace of a job stays with the slot
 * from worker to worker (network namespace, control group); everything else is made anew.
 */
#ifndef SANDBOX_WARDEN_SLOT_H
#define SANDBOX_WARDEN_SLOT_H

#include <sys/types.h>

#include "base/loop.h"
#include "sandbox/layers/cgroup.h"
#include "sandbox/warden/aside.h"
#include "sandbox/warden/events.h"
#include "sandbox/warden/notify.h"
#include "sandbox/warden/stream.h"

struct warden;
struct runtime;
struct job;

/* X(symbol, milliseconds a slot may stay, what is being done then, next states). The times are
 * a hundred times what is usual on a loaded machine: a step that needs longer hangs. ENDING is
 * looked after again and again until the cell is gone. */
#define SLOT_STATE_LIST(X)                                                               \
	X(EMPTY, 0, "nothing", SLOT_BIT(CELL_MAKING))                                    \
	X(CELL_MAKING, 10000, "making the cell", SLOT_BIT(FORKING) | SLOT_BIT(ENDING))   \
	X(FORKING, 10000, "forking the worker", SLOT_BIT(LOCKING) | SLOT_BIT(ENDING))    \
	X(LOCKING, 10000, "locking the worker down", SLOT_BIT(READY) | SLOT_BIT(ENDING)) \
	X(READY, 0, "waiting for a job", SLOT_BIT(BUSY) | SLOT_BIT(ENDING))              \
	X(BUSY, 0, "running a job", SLOT_BIT(ENDING))                                    \
	X(ENDING, 100, "ending the cell", SLOT_BIT(EMPTY))

enum slot_state {
#define X(symbol, stay_ms, doing, next) SLOT_##symbol,
	SLOT_STATE_LIST(X)
#undef X
		SLOT_STATES
};
#define SLOT_BIT(symbol) (1u << SLOT_##symbol)

struct slot {
	struct warden *warden;
	struct runtime *runtime; /* NULL while EMPTY */
	struct job *job;	 /* owned while BUSY, and until its outcome is sent */
	unsigned index;
	uint32_t generation; /* so that a late answer about an earlier worker is noticed */
	enum slot_state state;
	uint32_t uid; /* in the warden's user namespace; 0: that of the service */
	uint32_t layers;
	uint32_t landlock_abi;
	uint64_t workspace_bytes; /* of the present cell */
	uint64_t began_us;	  /* when the making of this worker began */
	int netns_fd;		  /* kept from worker to worker, like the group */
	struct cgroup_group group;
	struct aside *aside; /* likewise; NULL before the first worker */
	/* Of the present worker; all owned, -1 when not there. */
	int lifeline_fd; /* write end: closing it ends the cell */
	int init_pidfd;
	int worker_pidfd;
	int channel_fd;
	int workspace_fd;
	int place_fd; /* without a cell: the worker's folder, until it is forked */
	pid_t worker_pid;
	pid_t program_pid; /* started ahead by the worker; 0: none, the worker runs the job */
	unsigned program_tasks; /* its threads when it was ready */
	uint64_t program_bytes; /* its address space then */
	struct stream out;
	struct stream errors;
	struct notify notify;
	struct events events; /* of the present job */
	struct watch init_watch;
	struct watch worker_watch;
	struct watch channel_watch;
	struct timer step_timer; /* of the state; of the wall time while BUSY */
	struct timer cpu_timer;
	struct timer output_timer;
	struct timer boost_timer; /* see boost.h, like the next */
	bool is_boosted;
	struct timer age_timer;	 /* see ageing.h, like the three below */
	uint64_t look_us;	 /* after which it is looked at again */
	uint64_t fresh_us;	 /* CPU time until it is aged */
	uint64_t aged_at_us;	 /* CPU time when that count began */
	struct timer bare_timer; /* without a cell, see bare.h */
	uint64_t cpu_before_us;	 /* used by the worker before the job came */
	bool has_said_done; /* the exit below is what the worker said; the kernel's is our kill
			     */
	bool is_worker_gone;
	bool is_gathering;    /* its job's files are being read aside */
	bool waits_to_gather; /* until others have done that */
	bool is_over_space;   /* without a cell: the folder's last count */
	bool is_clearing;     /* the folder is being removed */
	bool is_cleared;      /* that has been tried */
	bool is_cell_gone;
	unsigned ending_ticks;
	/* How the worker ended, from waitid(2). */
	int exit_how; /* CLD_EXITED, CLD_KILLED, CLD_DUMPED */
	int exit_value;
	uint64_t worker_cpu_us;
	uint64_t worker_peak_bytes;
};

const char *slot_doing(enum slot_state state);
bool slot_may_enter(enum slot_state from, enum slot_state to);

void slot_init(struct slot *slot, struct warden *warden, unsigned index);

/* Counts, arms the state's timer, and refuses (by ending the process: it is our own mistake) a
 * step that the table does not have. */
void slot_enter(struct slot *slot, enum slot_state state);

/* The process that runs the job: the worker, or what it has started ahead. */
pid_t slot_job_pid(const struct slot *slot);

/* The id of messages about the slot's present worker. */
uint64_t slot_message_id(const struct slot *slot);
struct slot *slot_of_message(struct warden *warden, uint64_t id);

/* Closes what belonged to the worker; the slot's own things stay. */
void slot_clear(struct slot *slot);

/* Kills every process of the cell; the slot's watches notice the end. */
void slot_kill(struct slot *slot);

#endif
