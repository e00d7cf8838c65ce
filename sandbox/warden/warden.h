/*
 * sandbox/warden/warden.h - the state of the one process that turns typed jobs into confined
 * processes.
 *
 * It reads typed messages of the ledger (checked again), of its own children, and bytes of jobs
 * that it never interprets. It guarantees that a job runs only in a worker that was locked down
 * before, that every limit is enforced by the kernel or by a kill, and that nothing of a job is
 * left when its answer is sent, or as soon after as the kernel needs.
 */
#ifndef SANDBOX_WARDEN_WARDEN_H
#define SANDBOX_WARDEN_WARDEN_H

#include "base/chan.h"
#include "sandbox/layers/cgroup.h"
#include "sandbox/layers/workspace_folder.h"
#include "sandbox/warden/job.h"
#include "sandbox/warden/runtime.h"
#include "sandbox/warden/slot.h"

#define RUNTIMES_MAX 16 /* languages of one service */

enum warden_state {
	WARDEN_NEW = 1,	       /* HELLO has not come */
	WARDEN_CONFIGURED = 2, /* HELLO came; collecting configuration until COMMIT */
	WARDEN_STARTING = 4,   /* confined; the first workers are being made */
	WARDEN_SERVING = 8,
	WARDEN_DRAINING = 16
};

struct warden {
	enum warden_state state;
	struct loop loop;
	struct chan supervisor;
	struct chan ledger;
	struct setup_hello hello;
	struct setup_warden_config config;
	bool has_config;
	/* Of a reload: applied at COMMIT or dropped. */
	struct setup_warden_config next_config;
	bool has_next_config;
	struct setup_runtime next_runtimes[RUNTIMES_MAX];
	unsigned next_runtime_count;
	struct runtime runtimes[RUNTIMES_MAX];
	unsigned runtime_count;
	struct slot *slots;
	unsigned slot_count;
	struct job_queue queue;
	struct cgroup_instance cgroups;
	int workspaces_parent_fd;     /* owned; where there are no cells, as configured */
	struct workspaces workspaces; /* and what we made in there */
	int init_filter_fd;	      /* the compiled seccomp program of a cell's init */
	int null_lock_fd;	      /* owned, see null_lock.h */
	int boost_fd;		      /* owned, see boost.h; -1: no boost here */
	int below_filter_fd;	      /* of all programs below, on top of our own; -1: none */
	bool tells_denials;	      /* workers hand out the listener of their filter */
	unsigned cores;
	uint32_t worker_layers; /* of the last worker that became ready */
	uint32_t landlock_abi;
	struct timer pool_timer;  /* WARDEN_POOL at most ten times a second */
	struct timer rest_timer;  /* see pool.c */
	struct timer brake_timer; /* see brake.c, like the two below */
	uint64_t halted_us;	  /* since when crowds are halted; 0: they are not */
	uint64_t halt_again_us;	  /* not before */
	uint64_t busy_us;	  /* when a job last began or ended */
	struct timer drain_timer;
	bool has_pool_news;
	unsigned gathering; /* slots whose files are being read aside */
};

/* At a level without cells the parts of bare.h take their place. */
static inline bool warden_has_cells(const struct warden *warden)
{
	return (level_layers(warden->config.level) & LAYERS_OF_CELL) != 0;
}

/* The limits that a fresh worker has and most jobs keep. */
/* Of a slot's group: what the job asks for, and what all jobs have in common. */
struct cgroup_limits warden_limits(const struct warden *warden, uint64_t memory_bytes,
				   uint64_t processes);

/* Remembers that the ledger should hear of the pool, and looks after it this round. */
void warden_pool_changed(struct warden *warden);

/* The loop's hook: looks after the pool when something changed. */
void warden_after_round(struct loop *loop);

/* What a slot's step timer does depends on its state. */
void warden_slot_timers(struct slot *slot);

/* Kills every cell and both programs of every runtime. */
void warden_end(struct warden *warden);

/* Cannot go on: tells the supervisor why before READY, ends everything, exits. */
_Noreturn void warden_die(struct warden *warden, const struct err *why);

/* Called when a worker is ready or gone: says READY after the first of each runtime, DRAINED
 * after the last. */
void warden_progress(struct warden *warden);

struct runtime *warden_runtime(struct warden *warden, const char *name);

#endif
