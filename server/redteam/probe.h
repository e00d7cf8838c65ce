/*
 * server/redteam/probe.h - probes as data: what an attacker with a valid certificate tries.
 *
 * One file a probe, server/redteam/probes/<id>.probe, installed to share/casemate/redteam; the
 * README beside them says what each line means. They are ours, but a person may add his own,
 * so a file that is not understood is named and nothing runs.
 */
#ifndef SERVER_REDTEAM_PROBE_H
#define SERVER_REDTEAM_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define PROBE_ID_MAX	48	    /* bytes with NUL: one column of the table */
#define PROBES_MAX	1024	    /* files in the folder */
#define PROBE_BYTES_MAX (64 * 1024) /* of one file; the largest has 3 KiB */

enum judge {
	JUDGE_JOB,	 /* the job itself prints HELD or ESCAPED */
	JUDGE_DIFFER,	 /* two jobs must print different things */
	JUDGE_EVENT,	 /* the answer must have an event of the kind */
	JUDGE_NAMESPACE, /* looked at from outside, while two jobs run */
	JUDGE_CGROUP,
	JUDGE_USER,
	JUDGE_CORE,
	JUDGE_GONE, /* what the job leaves behind, looked for from outside when it has ended */
	JUDGE_HTTP, /* bytes sent to the service, and its answer */
	JUDGE_TLS,
	JUDGE_MAX = JUDGE_TLS
};

struct probe {
	char id[PROBE_ID_MAX];
	const char *family;
	char *text; /* owned; everything below points into it or is "" */
	const char *tries;
	const char *layers;  /* words: those that stop it, the first to answer first */
	const char *alone;   /* a layer without which alone this probe escapes, or "" */
	const char *tells;   /* words ANSWER=layer: what an answer says about who gave it */
	const char *needs;   /* a layer that an ordinary user may not have, or "" */
	const char *limits;  /* words NAME=NUMBER */
	const char *expects; /* words: HTTP statuses, or "closed" */
	const char *ends;    /* words: statuses by which the wall may end the job first */
	enum judge judge;
	const char *detail; /* of the judge: which namespace, which kind of TLS */
	const char *before; /* an earlier job */
	const char *beside; /* a job that is still there */
	const char *code;
	const char *request; /* raw bytes */
	const char *body;    /* a body, sent in a good request */
};

struct probes {
	char *prelude; /* owned; put before every job's code */
	size_t count;
	struct probe list[PROBES_MAX]; /* sorted by id */
};

/* NULL folder: the installed one. */
nodiscard int probes_load(const char *folder, struct probes *ret, struct err *err);
void probes_done(struct probes *probes);

/* Walks words separated by blanks: the next one's start and length, or NULL. */
const char *probe_word(const char **at, size_t *ret_length);

/* Whether `word` is one of `words`. */
bool probe_has_word(const char *words, const char *word);

#endif
