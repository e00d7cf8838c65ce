/*
 * validator/schema_command.h - `casemate schema check`: the schema library for people and
 * scripts. It reads the files it is given and those below the folders it is given, nothing
 * else, and never a network.
 */
#ifndef VALIDATOR_SCHEMA_COMMAND_H
#define VALIDATOR_SCHEMA_COMMAND_H

#include <stdio.h>

#define SCHEMA_COMMAND_USAGE                                                                \
	"usage: casemate schema check [OPTION]... SCHEMA INSTANCE\n\n"                      \
	"Judges a JSON document by a JSON Schema (draft 2020-12); - is standard input.\n\n" \
	"  --remotes BASE=DIR   read documents whose URI begins with BASE from DIR\n"       \
	"  --formats            format is an assertion, not an annotation\n"                \
	"  --output FORMAT      print the result as JSON: flag, basic or detailed\n"        \
	"  --annotations        with --output basic or detailed: also annotations\n\n"      \
	"Exit codes: 0 valid, 1 invalid, 2 unusable (wrong usage, no JSON, a faulty\n"      \
	"schema, or limits reached before there was a verdict).\n"

/* `arguments` follow "schema". Returns the exit code. */
int schema_command(int count, char **arguments, FILE *out, FILE *err_out);

#endif
