/*
 * validator/schema.h - JSON Schema 2020-12, the part that our own schemas use, exactly.
 *
 * Keywords: type, enum, const; minimum, maximum, exclusiveMinimum, exclusiveMaximum; minLength,
 * maxLength (in characters), pattern; items, prefixItems, minItems, maxItems, uniqueItems;
 * properties, required, additionalProperties, propertyNames, minProperties, maxProperties;
 * allOf, anyOf, oneOf; $ref within the document, $defs; boolean schemas. $schema, $id,
 * $comment, title, description, default, examples, format, deprecated, readOnly, writeOnly and
 * members that begin with "x-" are annotations. Any other keyword is an error when the schema
 * is compiled: a check that silently does nothing is worse than none.
 *
 * Two annotations steer the hints: "x-hint" (text) replaces the hint of any fault found by the
 * schema that has it; "x-unknown" {name: text} explains names that callers confuse.
 */
#ifndef VALIDATOR_SCHEMA_H
#define VALIDATOR_SCHEMA_H

#include <jansson.h>

#include "base/err.h"
#include "validator/faults.h"

struct schema;

/* Compiles `document`, which stays referenced by the schema. -EINVAL names the pointer and the
 * keyword that is unknown or wrong. */
nodiscard int schema_compile(json_t *document, struct schema **ret, struct err *err);

void schema_free(struct schema *schema);
void schema_drop(struct schema **schema);

#define own_schema __attribute__((cleanup(schema_drop))) struct schema

/* True when `instance` is valid. Otherwise `faults` has at least one fault more; NULL: only the
 * verdict is wanted. */
bool schema_check(const struct schema *schema, json_t *instance, struct faults *faults);

/* Adds every member that is absent and has a default, at all levels of a valid document.
 * 0 or -ENOMEM. */
nodiscard int schema_fill(const struct schema *schema, json_t *instance);

#endif
