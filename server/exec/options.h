/*
 * server/exec/options.h - the command line of `casemate exec`.
 */
#ifndef SERVER_EXEC_OPTIONS_H
#define SERVER_EXEC_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "server/client/place.h"

#define OPTIONS_ARGS_MAX 256 /* as in schema/limits.h */

struct options {
	struct place place;
	const char *language; /* NULL: guess */
	const char *program;  /* path, or "-" */
	const char *policy;   /* NULL: none; a name, or a path with '/' or ".json" in it */
	const char *stdin_path;
	const char *output_folder; /* NULL: result files are not written */
	const char *args[OPTIONS_ARGS_MAX];
	int arg_count;
	uint64_t timeout_ms; /* 0: the service's default */
	bool is_json;
};

extern const char options_help[];

/* 0: go on; 1: answered already (--help, --version); negative: a usage error. */
nodiscard int options_parse(struct options *ret, int argc, char **argv, struct err *err);

#endif
