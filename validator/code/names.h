/*
 * validator/code/names.h - what an expression is called, however it is reached.
 *
 * `import os as o; o.system`, `__import__("os").system`, `getattr(os, "sys" + "tem")` are all
 * "os.system"; `const {exec: e} = require("node:child_process")` makes `e` the name
 * "child_process.exec"; in bash `\rm`, `/bin/rm`, `x=rm; $x` are "rm".
 *
 * The order of statements is not followed: a name that may be several things has all of them,
 * up to CODE_NAMES_MAX. A receiver that is not known is "?". What the file itself defines is
 * "local.<name>". A call of "n" has the name "n()".
 */
#ifndef VALIDATOR_CODE_NAMES_H
#define VALIDATOR_CODE_NAMES_H

#include "validator/code/code.h"

/* A longer chain keeps its end only, behind "?". */
#define NAME_BYTES_MAX 200

/* Reads all definitions; before anything else. 0 or -ENOMEM. */
nodiscard int code_bind_all(struct code *code, struct err *err);

/* The names of an expression or, in bash, of a command. Never NULL. */
const struct code_names *code_names_of(struct code *code, uint32_t node);

/* `pattern` is a name, "a.*", "*.b", "*.b.*" or "?.b". */
bool code_name_matches(const char *name, const char *pattern);
bool code_names_match(struct code *code, const struct code_names *names, const char *pattern);

/* What an identifier is for the language (Python's NFKC), interned; 0: it is none. */
uint32_t code_identifier(struct code *code, uint32_t node);

/* The meanings of a name seen from a scope; NULL: the file gives it none. */
const struct code_binding *code_lookup(const struct code *code, uint32_t scope, uint32_t name);

/* The element that a subscript of a literal list or dictionary takes; CODE_NONE: unknown. */
uint32_t code_element(struct code *code, uint32_t node);

/* The literal behind names, parentheses and assignments. */
uint32_t code_literal(struct code *code, uint32_t node);

/* --- for the languages' own parts -------------------------------------------------------- */

void names_add(struct code_names *names, uint32_t id);
void names_add_all(struct code_names *names, const struct code_names *more);
void names_add_text(struct code *code, struct code_names *names, const char *text);

/* `owner`.`member`, with what the language says of such a pair. */
void names_join(struct code *code, struct code_names *names, uint32_t owner, const char *member,
		size_t length);
void names_join_all(struct code *code, struct code_names *names,
		    const struct code_names *owners, const char *member, size_t length);

/* In Python a module's name; in JavaScript without "node:". */
void names_add_module(struct code *code, struct code_names *names,
		      const struct code_value *value);

bool code_is_called(const struct code *code, uint32_t id, const char *name);
bool code_ends_with(const struct code *code, uint32_t id, const char *end);

/* The nth positional argument of a call, CODE_NONE without. */
uint32_t code_argument(const struct code *code, uint32_t call, uint32_t nth);

struct code_binding *code_bind(struct code *code, uint32_t scope, uint32_t name,
			       enum code_binding_kind kind, uint32_t at);

void python_bind(struct code *code, uint32_t node); /* names_python.c */
void python_unbound(struct code *code, uint32_t name, struct code_names *names);
void python_call(struct code *code, uint32_t node, uint32_t function, struct code_names *names);
void javascript_bind(struct code *code, uint32_t node); /* names_javascript.c */
void javascript_unbound(struct code *code, uint32_t name, struct code_names *names);
void javascript_call(struct code *code, uint32_t node, uint32_t function,
		     struct code_names *names);
void shell_bind(struct code *code, uint32_t node); /* names_shell.c */
void shell_command(struct code *code, uint32_t node, struct code_names *names);

/* Writes the ASCII form of a compatibility character; 0: it has none (nfkc.c). */
size_t nfkc_ascii(uint32_t scalar, char ret[8]);

#endif
