/*
 * validator/code/fold.h - what an expression is when it can be known without running it.
 *
 * "o" + "s", chr(111), "\x6f", $'\x6f', "sm"[::-1], base64 of a literal and the like are the
 * text they make, so that a rule that looks for a text finds it however it is written.
 */
#ifndef VALIDATOR_CODE_FOLD_H
#define VALIDATOR_CODE_FOLD_H

#include "validator/code/code.h"

/* Longest text folded, bytes: what a rule looks at is at the beginning. */
#define FOLD_TEXT_MAX 65536

/* The value of `node`; its kind is VALUE_NONE when it is not known. Never NULL. */
const struct code_value *code_fold(struct code *code, uint32_t node);

/* A text or bytes. */
bool code_is_text(const struct code_value *value);

/* A text put together from parts of which at least one is not known and one is literal. */
bool code_is_assembled(struct code *code, uint32_t node);

/* --- the parts of it, one file each ------------------------------------------------------ */

/* Copies a text into the analysis. */
struct code_value fold_text(struct code *code, enum code_value_kind kind, const char *text,
			    size_t length);
struct code_value fold_number(double number);
struct code_value fold_take(struct code *code, enum code_value_kind kind, struct buf *buf);

/* As Python's str() or JavaScript's String() writes it. False: not known. */
bool fold_write(const struct code_value *value, struct buf *buf);

struct code_value fold_string(struct code *code, uint32_t node); /* fold_string.c */
struct code_value fold_template(struct code *code, uint32_t node);
struct code_value fold_shell_word(struct code *code, uint32_t node); /* fold_shell.c */
struct code_value fold_shell_string(struct code *code, uint32_t node);
struct code_value fold_shell_joined(struct code *code, uint32_t node);
struct code_value fold_shell_expansion(struct code *code, uint32_t node);
struct code_value fold_shell_substitution(struct code *code, uint32_t node);
struct code_value fold_call(struct code *code, uint32_t node); /* fold_call.c */

/* Decodes the escapes of a literal's inside: \n, \xHH, \uHHHH and so on. */
void fold_escapes(const char *text, size_t length, bool is_shell, struct buf *buf);

/* Base64 without regard to white space; false: it is none. */
bool fold_base64(const char *text, size_t length, struct buf *buf);

#endif
