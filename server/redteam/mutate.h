/*
 * server/redteam/mutate.h - the probes' own test: each layer of the wall switched off in turn,
 * and which probes notice. A layer that nobody would miss is not known to be there.
 */
#ifndef SERVER_REDTEAM_MUTATE_H
#define SERVER_REDTEAM_MUTATE_H

#include "server/redteam/options.h"
#include "server/redteam/probe.h"

/* Prints a table in Markdown; 0 when every layer is noticed, 1 when one is not. */
nodiscard int mutate(const struct options *options, const struct probes *probes,
		     struct err *err);

/* The same for single probes: each against a service without any of its layers must escape, or
 * it proves nothing when it is held. Prints what each did; 1 when one was held. */
nodiscard int prove(const struct options *options, const struct probes *probes,
		    struct err *err);

#endif
