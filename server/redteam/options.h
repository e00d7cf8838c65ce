/*
 * server/redteam/options.h - the command line of `casemate redteam`.
 */
#ifndef SERVER_REDTEAM_OPTIONS_H
#define SERVER_REDTEAM_OPTIONS_H

#include <stdbool.h>

#include "server/client/place.h"

struct options {
	struct place place;
	const char *probes; /* folder; NULL: the installed one */
	const char *only;   /* probes whose id begins so; "" all */
	const char *layer;  /* --mutate: only this layer; NULL: each in turn */
	bool is_json;
	bool is_listing;
	bool is_mutating;
	bool is_quick;
	bool is_proving;
};

/* 0: go on; 1: answered already (--help, --version); negative: a usage error. */
nodiscard int options_parse(struct options *ret, int argc, char **argv, struct err *err);

#endif
