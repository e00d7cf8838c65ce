/*
 * server/exec/answer.h - prints an answer and turns it into an exit code.
 */
#ifndef SERVER_EXEC_ANSWER_H
#define SERVER_EXEC_ANSWER_H

#include <jansson.h>
#include <stdbool.h>

#define EXIT_TIMED_OUT 124 /* as timeout(1) */
#define EXIT_SERVICE   125 /* the command itself failed, as in env(1), docker run */
#define EXIT_REJECTED \
	126 /* the policy refused the code: as a shell says of what it may not run */
#define EXIT_SIGNAL 128 /* plus the number, as a shell */

/* The document of an execution: streams to standard output and error. */
int answer_print(const json_t *document);

/* A problem document (RFC 9457), or anything else that is not an execution. */
int answer_print_problem(const json_t *document, long status);

/* The exit code alone. */
int answer_exit_code(const json_t *document);

/* A text of the answer as the bytes it stands for. */
void answer_write_text(const json_t *value, const char *encoding, FILE *out);

#endif
