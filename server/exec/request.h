/*
 * server/exec/request.h - makes the request document.
 */
#ifndef SERVER_EXEC_REQUEST_H
#define SERVER_EXEC_REQUEST_H

#include <jansson.h>

#include "server/exec/options.h"

/* A name of a language for this program: extension, then #! line, then python. */
const char *request_guess_language(const char *path, const char *code);

/* The document, owned by the caller. Reads the program and its standard input. */
nodiscard int request_make(const struct options *options, json_t **ret, struct err *err);

#endif
