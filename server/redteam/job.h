/*
 * server/redteam/job.h - one execution of the attacked service: sent, waited for, read.
 */
#ifndef SERVER_REDTEAM_JOB_H
#define SERVER_REDTEAM_JOB_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

#include "server/client/client.h"

struct job {
	const struct place *place; /* borrowed */
	char *request;		   /* owned: the body */
	json_t *answer;		   /* owned: the document of a 200 */
	struct err err;		   /* why there is no answer */
	struct client client;	   /* of the thread */
	pthread_t thread;
	bool is_running;
	atomic_ullong asked_us; /* when the service was asked; 0: it has refused for now */
	atomic_bool is_over;	/* what was begun in the background has ended */
};

/* Makes the request of `code` with `limits` (words NAME=NUMBER). */
nodiscard int job_init(struct job *job, const struct place *place, const char *code,
		       const char *limits, struct err *err);
void job_done(struct job *job);

#define own_job __attribute__((cleanup(job_done))) struct job

/* Sends it over `client` and waits for its end. */
nodiscard int job_run(struct job *job, struct client *client, struct err *err);

/* The same over a connection of its own, in the background. */
nodiscard int job_begin(struct job *job, struct err *err);
nodiscard int job_wait(struct job *job, struct err *err);

/* Waits until the service has had a job that was begun for so long, or it is over: a service
 * that refuses does so at once. */
void job_wait_inside(const struct job *job, unsigned ms);

/* Leaves while it runs in the background: the service cancels it. There is no answer then. */
void job_leave(struct job *job);

/* A member of the answer as text, or "". */
const char *job_text(const struct job *job, const char *member);

#endif
