/*
 * validator/schema.h - JSON Schema, draft 2020-12, all of it: the public header of the schema
 * library (libcasemate-schema.a). It reads no file and no network; documents other than the
 * schema itself come from a store that the caller fills.
 *
 * Schemas are compiled once: every $ref is resolved, every pattern compiled, every document
 * checked against its meta-schema, so a mistake in a schema is an error then and never a check
 * that silently does nothing. Unknown keywords are annotations, as the specification wants;
 * with SCHEMA_STRICT they are errors as well, except for names that begin with "x-".
 *
 * Judging an instance costs bounded time and memory. An instance that cannot be judged within
 * the bounds (work, nesting, one pattern's effort) is SCHEMA_UNDECIDED, never valid.
 *
 * Two annotations steer the hints: "x-hint" (text) replaces the hint of any error found by the
 * schema that has it; "x-unknown" {name: text} explains names that callers confuse.
 *
 * Numbers are jansson's: integers of 64 bits and doubles, compared by value. Larger integers
 * are doubles. multipleOf is decided in decimal, so 0.0075 is a multiple of 0.0001.
 *
 * A compiled schema is read-only and may be used by several threads; a store may not.
 */
#ifndef VALIDATOR_SCHEMA_H
#define VALIDATOR_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct schema;
struct schema_store;

/* --- documents --------------------------------------------------------------------------- */

/* A store that knows the meta-schemas of the draft and nothing else. */
nodiscard int schema_store_new(struct schema_store **ret, struct err *err);

/* The store lives on until the last schema compiled in it is freed. NULL is legal. */
void schema_store_free(struct schema_store *store);

/* Registers a document under an absolute URI; it stays referenced. */
nodiscard int schema_store_add(struct schema_store *store, const char *uri, json_t *document,
			       struct err *err);

/* Asked for a document that is not registered, with its URI without a fragment. Gives a
 * document of the caller's to the store; -ENOENT: it does not know that URI. */
struct schema_source {
	int (*load)(void *owner, const char *uri, json_t **ret, struct err *err);
	void *owner; /* outlives the store */
};

void schema_store_source(struct schema_store *store, const struct schema_source *source);

/* --- schemas ----------------------------------------------------------------------------- */

enum schema_flags {
	SCHEMA_STRICT = 1, /* an unknown keyword is an error */
	SCHEMA_FORMATS = 2 /* format is an assertion, not an annotation */
};

/* Compiles `document`, which stays referenced. `uri` is where it was found, "" when nowhere. A
 * fault of any document involved is -EINVAL with its pointer and keyword. After a failure the
 * store is good for nothing but schema_store_free(). */
nodiscard int schema_store_compile(struct schema_store *store, const char *uri,
				   json_t *document, unsigned flags, struct schema **ret,
				   struct err *err);

/* The same in a store of its own: a schema that needs no other document. */
nodiscard int schema_compile(json_t *document, unsigned flags, struct schema **ret,
			     struct err *err);

/* NULL is legal. */
void schema_free(struct schema *schema);
void schema_drop(struct schema **schema);

#define own_schema __attribute__((cleanup(schema_drop))) struct schema

/* --- instances --------------------------------------------------------------------------- */

enum schema_verdict { SCHEMA_VALID, SCHEMA_INVALID, SCHEMA_UNDECIDED };

#define SCHEMA_NO_PARENT SIZE_MAX

/* All texts are valid UTF-8 without control characters. */
struct schema_error {
	size_t parent;	     /* the error of the combination this one explains */
	size_t branch;	     /* of that combination */
	bool is_hinted;	     /* by the schema's own x-hint */
	const char *keyword; /* static or of the schema; "false" for the schema false */
	char *instance;	     /* where in the instance: RFC 6901 pointer */
	char *path;	     /* the keyword, by the way that evaluation took ($ref included) */
	char *location;	     /* the keyword, as an absolute URI with a pointer */
	char *member;	     /* the member that is missing; NULL for other keywords */
	char *text;	     /* a sentence for people */
	char *hint;	     /* what to do; may be "" */
};

struct schema_note {
	char *instance, *path, *location;
	json_t *value; /* borrowed from the schema */
};

/* Errors kept at most: a person reads a dozen, and each costs up to 3 KiB. */
#define SCHEMA_ERRORS_MAX 256

/* Annotations kept at most; they are asked for by tools that read one small document. */
#define SCHEMA_NOTES_MAX 4096

/* One unit is about 10 ns; the whole is about half a second. Our largest request, of 200,000
 * values, needs under a million. */
#define SCHEMA_WORK_DEFAULT 20000000

struct schema_report {
	uint64_t work_max;  /* set by schema_report_init(); the caller may change it */
	bool wants_notes;   /* annotations of a valid instance */
	const char *reason; /* why it was undecided */
	bool has_more;	    /* than SCHEMA_ERRORS_MAX or SCHEMA_NOTES_MAX */
	size_t error_count;
	struct schema_error *errors; /* owned */
	size_t note_count;
	struct schema_note *notes; /* owned */
};

void schema_report_init(struct schema_report *report);
void schema_report_done(struct schema_report *report);

#define own_schema_report __attribute__((cleanup(schema_report_done))) struct schema_report

/* Judges `instance`. `report` is initialised and empty; NULL: only the verdict is wanted. */
enum schema_verdict schema_judge(const struct schema *schema, json_t *instance,
				 struct schema_report *report);

enum schema_output { SCHEMA_OUTPUT_FLAG, SCHEMA_OUTPUT_BASIC, SCHEMA_OUTPUT_DETAILED };

/* The output formats of the specification, section 12.4, as JSON. */
void schema_report_write(const struct schema_report *report, enum schema_verdict verdict,
			 enum schema_output output, struct buf *ret);

/* Adds every member that is absent and has a default, at all levels of a valid document.
 * 0 or -ENOMEM. */
nodiscard int schema_fill(const struct schema *schema, json_t *instance);

#endif
