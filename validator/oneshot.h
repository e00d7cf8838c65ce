/*
 * validator/oneshot.h - what the program does once, for the supervisor or a person: check a
 * configuration file, print the API description. Unconfined: the input is the operator's own.
 */
#ifndef VALIDATOR_ONESHOT_H
#define VALIDATOR_ONESHOT_H

#include <stdio.h>

#include "base/err.h"

/* Prints the configuration with defaults filled in to `out`, or its faults to `err_out`, one a
 * line. `path` "-" is standard input. Returns the exit code. */
int oneshot_config(const char *path, FILE *out, FILE *err_out);

/* Prints the OpenAPI document. Returns the exit code. */
int oneshot_openapi(FILE *out, FILE *err_out);

/* Opens ../../share/casemate/schema relative to the program. */
nodiscard int oneshot_open_schemas(int *ret_fd, struct err *err);

#endif
