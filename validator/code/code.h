/*
 * validator/code/code.h - source text as a tree that the rest of the code engine can walk.
 *
 * Runs in the validator. The text is anybody's; what comes out is a flat array of nodes in the
 * order of the text, with parents, so that no walk over it recurses deeper than it counts.
 * Time, nodes and memory are bounded; what exceeds them has no tree, and `limit` says so.
 */
#ifndef VALIDATOR_CODE_CODE_H
#define VALIDATOR_CODE_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tree_sitter/api.h>

#include "base/buf.h"
#include "base/err.h"
#include "schema/limits.h"
#include "validator/code/kinds.h"
#include "validator/code/needs.h"

/* Index of "no node". */
#define CODE_NONE UINT32_MAX

/* Calls into one another of resolving and folding: an honest expression nests under 50. */
#define CODE_DEPTH_MAX 200

/* Memory of one analysis beside the tree, bytes: constants and names of our largest source need
 * under 8 MiB. */
#define CODE_ARENA_BYTES_MAX (32u << 20)

/* Resolving and folding steps of one source; 50 ms of them are about as many. */
#define CODE_STEPS_MAX 2000000

#define CODE_SYMBOL_ERROR UINT16_MAX

/* What a node may be called. */
#define CODE_NAMES_MAX 8

struct code_node {
	uint32_t start, end; /* bytes of the text */
	uint32_t parent;     /* index; of the root: CODE_NONE */
	uint32_t after;	     /* index behind the last of its descendants */
	uint32_t scope;	     /* index of the function, lambda or class it is in; 0: the file */
	uint16_t symbol;     /* the grammar's; of what does not fit it CODE_SYMBOL_ERROR */
	uint16_t field_id;   /* the grammar's, of the parent; 0: none */
	uint8_t kind;	     /* enum code_kind */
	uint8_t field;	     /* enum code_field, of the parent */
	bool is_named;
	bool is_wrong; /* what the grammar does not know, or a token that it missed */
};

/* A set of dotted names, interned: equal names have equal numbers. */
struct code_names {
	uint32_t count;
	uint32_t ids[CODE_NAMES_MAX];
};

enum code_value_kind { VALUE_NONE, VALUE_TEXT, VALUE_BYTES, VALUE_NUMBER, VALUE_BOOL };

struct code_value {
	enum code_value_kind kind;
	const char *text; /* of the arena or the source; not terminated */
	size_t length;
	double number; /* also of VALUE_BOOL */
};

enum code_limit { CODE_WHOLE, CODE_TOO_LARGE, CODE_TOO_SLOW, CODE_TOO_MANY_NODES };

enum code_binding_kind {
	BIND_NAME,     /* `id` is what it is called */
	BIND_VALUE,    /* the expression `node` */
	BIND_MEMBER,   /* the member `id` of the expression `node` */
	BIND_COMPUTED, /* the member of `node` whose name `key` folds to */
	BIND_ELEMENT,  /* an element of the expression `node` */
	BIND_DEFINED,  /* the function or class `node` */
	BIND_UNKNOWN
};

/* Where a name gets its meaning; a list for each (scope, name). */
struct code_binding {
	struct code_binding *next;
	enum code_binding_kind kind;
	uint32_t node, id;
	uint32_t key; /* of BIND_COMPUTED */
	uint32_t at;  /* node where it stands */
	bool is_conditional;
};

struct code_entry;
struct code_piece;
struct code_strings;

struct code {
	enum code_language language;
	const char *text; /* borrowed */
	size_t length;
	enum code_limit limit;
	uint64_t deadline_us; /* of this thread's processor time */
	uint32_t steps_left;
	bool is_over; /* out of time, steps or memory: what is found from now on is not all */
	struct code_node *nodes;
	uint32_t count;
	struct code_piece *pieces; /* the arena */
	size_t arena_bytes;
	struct code_strings *strings;
	struct code_entry **entries;
	struct code_names stars; /* modules imported whole */
	uint32_t entry_mask;
	/* By node; NULL: not asked yet. What is being asked has no name and no value. */
	const struct code_names **memo_names;
	const struct code_value **memo_values;
	uint32_t depth; /* of calls into one another */
	/* While the body of a comprehension is folded: its variable, 0 for none. */
	uint32_t loop_name, loop_body;
	struct code_value loop_value;
	/* Of the text that a pattern was last compared with (predicates.c). */
	const char *signs_text;
	size_t signs_length;
	struct signs signs;
};

/* Parses `text` of `length` bytes within `time_us` of processor time. 0 also when a limit was
 * reached (`limit`); -ENOMEM. */
nodiscard int code_open(struct code *code, enum code_language language, const char *text,
			size_t length, uint64_t time_us, struct err *err);
void code_close(struct code *code);

/* The same for a text that `outer` holds, within the time and the steps that it has left. What
 * exceeds a limit exceeds the outer one's. */
nodiscard int code_open_within(struct code *code, struct code *outer,
			       enum code_language language, const char *text, size_t length,
			       struct err *err);
void code_close_within(struct code *code, struct code *outer);

/* Steps between two looks at the clock, which are a system call each: 40 to 200 us of them. */
#define CODE_STEPS_PER_LOOK 2048

/* True while there is time; counts `steps`. What takes longer than a name to look up counts as
 * several. */
bool code_spend(struct code *code, size_t steps);

static inline bool code_go(struct code *code)
{
	if (code->is_over || code->steps_left % CODE_STEPS_PER_LOOK == 0)
		return code_spend(code, 1);
	code->steps_left--;
	return true;
}

/* Looks at the clock itself. */
bool code_is_late(struct code *code);

/* --- walking ----------------------------------------------------------------------------- */

static inline enum code_kind code_kind(const struct code *code, uint32_t node)
{
	return node == CODE_NONE ? KIND_OTHER : (enum code_kind)code->nodes[node].kind;
}

/* First child, next sibling; CODE_NONE at the end. */
uint32_t code_child(const struct code *code, uint32_t node);
uint32_t code_next(const struct code *code, uint32_t node);
/* The same over named nodes that are no comments. */
uint32_t code_named(const struct code *code, uint32_t node);
uint32_t code_next_named(const struct code *code, uint32_t node);
/* First child with that field. */
uint32_t code_field(const struct code *code, uint32_t node, enum code_field field);
/* The node's text is exactly this. */
bool code_is(const struct code *code, uint32_t node, const char *text);

static inline const char *code_text(const struct code *code, uint32_t node)
{
	return code->text + code->nodes[node].start;
}

static inline size_t code_length(const struct code *code, uint32_t node)
{
	return code->nodes[node].end - code->nodes[node].start;
}

/* --- memory of one analysis -------------------------------------------------------------- */

/* Lives until code_close(); NULL sets is_over. */
void *code_alloc(struct code *code, size_t bytes);

/* Number of a string, never 0; 0 when memory ran out. */
uint32_t code_intern(struct code *code, const char *text, size_t length);
uint32_t code_intern_text(struct code *code, const char *text);
const char *code_string(const struct code *code, uint32_t id);

/* A place for one mark beside a string, for whoever asks about it again and again; NULL there
 * at first, and NULL for the string 0. */
uint64_t **code_note(const struct code *code, uint32_t id);

#endif
