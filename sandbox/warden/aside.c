#include "sandbox/warden/aside.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#define STACK_BYTES ((size_t)256 << 10) /* some paths, and folders 64 deep while counting */

struct aside {
	int asked_fd; /* eventfd: there is work for the thread */
	int done_fd;  /* eventfd: it has done it */
	struct watch watch;
	char name[16];
	bool is_busy; /* the loop's alone */
	void (*work)(void *context);
	void (*done)(void *context);
	void *context;
};

/* Counters of at most 1: adding neither waits nor fails. */
static void tell(int event_fd)
{
	uint64_t one = 1;

	if (write(event_fd, &one, sizeof(one)) != sizeof(one))
		abort();
}

static bool is_told(int event_fd)
{
	uint64_t count;

	return read(event_fd, &count, sizeof(count)) == sizeof(count);
}

static void *serve(void *own)
{
	struct aside *aside = own;

	(void)prctl(PR_SET_NAME, aside->name, 0, 0, 0);
	for (;;) {
		if (!is_told(aside->asked_fd))
			continue;
		aside->work(aside->context);
		tell(aside->done_fd);
	}
	return NULL;
}

static void is_done(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct aside *aside = watch->owner;

	(void)loop;
	(void)events;
	if (!is_told(aside->done_fd))
		return;
	aside->is_busy = false;
	aside->done(aside->context);
}

/* Signals are for the loop's thread. */
static int start(struct aside *aside, struct err *err)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all;
	sigset_t before;
	int failed;

	(void)sigfillset(&all);
	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&thread, &attributes, serve, aside);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attributes);
	return failed == 0 ? 0 : err_errno(err, failed, "start a thread beside the loop");
}

static int open_events(struct aside *aside, struct loop *loop, struct err *err)
{
	aside->asked_fd = eventfd(0, EFD_CLOEXEC);
	aside->done_fd = eventfd(0, EFD_CLOEXEC);
	if (aside->asked_fd < 0 || aside->done_fd < 0)
		return err_errno(err, errno, "eventfd of a thread");
	return loop_watch(loop, &aside->watch, aside->done_fd, EPOLLIN, err);
}

int aside_new(struct loop *loop, unsigned number, struct aside **ret, struct err *err)
{
	struct aside *aside = calloc(1, sizeof(*aside));
	int status;

	if (aside == NULL)
		return err_errno(err, ENOMEM, "a thread beside the loop");
	aside->watch = (struct watch){.fd = -1, .ready = is_done, .owner = aside};
	(void)snprintf(aside->name, sizeof(aside->name), "aside-%u", number);
	status = open_events(aside, loop, err);
	if (status == 0)
		status = start(aside, err);
	if (status == 0) {
		*ret = aside;
		return 0;
	}
	loop_unwatch(loop, &aside->watch);
	fd_drop(&aside->asked_fd);
	fd_drop(&aside->done_fd);
	free(aside);
	return status;
}

bool aside_is_busy(const struct aside *aside)
{
	return aside->is_busy;
}

void aside_begin(struct aside *aside, void (*work)(void *context), void (*done)(void *context),
		 void *context)
{
	aside->work = work;
	aside->done = done;
	aside->context = context;
	aside->is_busy = true;
	tell(aside->asked_fd);
}
