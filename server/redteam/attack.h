/*
 * server/redteam/attack.h - runs one probe against a service and judges what came of it.
 */
#ifndef SERVER_REDTEAM_ATTACK_H
#define SERVER_REDTEAM_ATTACK_H

#include <jansson.h>
#include <signal.h>

#include "server/client/client.h"
#include "server/redteam/host.h"
#include "server/redteam/probe.h"

enum end {
	END_HELD,
	END_ESCAPED,
	END_BROKEN,	 /* it ran and said nothing that can be judged: not held */
	END_UNWITNESSED, /* what it needs is not on this host */
	END_LACKING,	 /* the service says itself that the layer it needs is not there */
	END_MAX = END_LACKING
};

struct verdict {
	enum end end;
	char saw[192];	/* one line of printable ASCII */
	char layer[32]; /* what stopped it; "" when nothing did */
};

struct target {
	const struct place *place;
	const struct probes *probes;
	struct client client;
	struct host host;
	json_t *capabilities; /* owned: what the service says of itself */
};

/* Asks whether the service answers this caller at all, and whether it is on this very host,
 * where the witnesses are made then. `service` as for host_open(). */
nodiscard int target_open(struct target *target, const struct place *place,
			  const struct probes *probes, pid_t service, struct err *err);
void target_close(struct target *target);

/* Set by a signal handler: attack() fails from then on, so that what was made is put away. */
extern volatile sig_atomic_t attack_is_interrupted;

/* Negative only when the service cannot be reached at all. */
nodiscard int attack(struct target *target, const struct probe *probe, struct verdict *ret,
		     struct err *err);

/* Puts `text` on one line of printable ASCII. */
void verdict_say(struct verdict *verdict, enum end end, const char *text);

#endif
