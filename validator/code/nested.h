/*
 * validator/code/nested.h - code that a program holds as a text and hands to what runs it.
 *
 * eval and its kin, a line for a shell, `bash -c` and here-documents, where the text is known
 * without running the program.
 */
#ifndef VALIDATOR_CODE_NESTED_H
#define VALIDATOR_CODE_NESTED_H

#include "validator/code/code.h"

/* Texts in texts; more of them is told as a finding. */
#define NESTED_DEPTH_MAX 3

/* Whether `node` runs a known text, and as which language; `ret` lives as long as `code`. */
bool code_runs_text(struct code *code, uint32_t node, enum code_language *ret_language,
		    struct code_value *ret);

#endif
