/*
 * server/exec/save.h - the result files of an answer, written below a folder of the caller's.
 *
 * Names and bytes come from code that nobody trusts. So nothing is written outside of the
 * folder, no link is followed, nothing that exists is overwritten, and no file becomes
 * executable.
 */
#ifndef SERVER_EXEC_SAVE_H
#define SERVER_EXEC_SAVE_H

#include <jansson.h>

#include "server/exec/options.h"

/* Writes every file of the document, those with an href after fetching them. What cannot be
 * written is said on standard error; returns how many there were. */
unsigned save_files(const struct options *options, const json_t *document);

#endif
