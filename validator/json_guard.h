/*
 * validator/json_guard.h - the only way bytes become a JSON value (RFC 8259).
 *
 * Stricter than the grammar where parsers disagree, because what two programs read differently
 * is how checks are evaded: no duplicate keys, no NUL in any form, no lone surrogates, no byte
 * order mark, bounded nesting, bounded numbers, bounded count of values. The parser keeps its
 * own stack, so depth costs no recursion.
 */
#ifndef VALIDATOR_JSON_GUARD_H
#define VALIDATOR_JSON_GUARD_H

#include <jansson.h>

#include "base/err.h"
#include "validator/faults.h"

/* Values in one document. Our largest honest request has about 1,600; 32 MiB of "[]," would
 * otherwise become gigabytes of nodes. */
#define JSON_GUARD_VALUES_MAX 200000

/* One number's text, bytes: a double needs 24 digits, a few more are harmless. */
#define JSON_GUARD_NUMBER_BYTES 128

/* 0 with a value of the caller's, -EBADMSG with exactly one fault that has line, column and
 * offset, or -ENOMEM. `faults` is initialised here. */
nodiscard int json_guard_parse(const char *data, size_t length, json_t **ret,
			       struct faults *faults);

/* Seeds jansson's hash tables with `seed`, once per process and before any value exists, so
 * that chosen keys do not collide. */
void json_guard_seed(size_t seed);

/* For own_json. */
void json_guard_drop(json_t **value);

#define own_json __attribute__((cleanup(json_guard_drop))) json_t

#endif
