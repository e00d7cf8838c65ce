/*
 * validator/code/check_command.h - `casemate check`: judges a source by hand, as the service
 * does. Runs in the validator's binary, which confines itself before it reads the source.
 */
#ifndef VALIDATOR_CODE_CHECK_COMMAND_H
#define VALIDATOR_CODE_CHECK_COMMAND_H

#include <stdio.h>

/* 0 nothing rejected, 1 rejected (or a rule's example failed), 2 unusable. */
int check_command(int count, char **arguments, FILE *out, FILE *err_out);

#endif
