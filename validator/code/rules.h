/*
 * validator/code/rules.h - rules as data (docs/RULES.md): loading them, and what they found.
 *
 * A rule is a tree-sitter query with predicates. Rules whose queries have the same shape share
 * one pattern, and all patterns of a language are found by the node that they begin with, so
 * that a source is walked once however many rules there are. Rules are read-only once loaded.
 */
#ifndef VALIDATOR_CODE_RULES_H
#define VALIDATOR_CODE_RULES_H

#include <jansson.h>

#include "schema/events.h"
#include "validator/code/shape.h"
#include "validator/schema.h"

/* One file of rules, bytes; the largest has about 60 KiB. */
#define RULE_FILE_BYTES_MAX (1u << 20)

/* All languages together; what a person could still read. */
#define RULES_MAX 1024

/* Text shown of a capture, bytes. */
#define RULE_TEXT_SHOWN 60

/* SEVERITY_MAX + 1: there is no such severity. */
unsigned code_severity_find(const char *name);

struct name_index;
struct predicate;

struct rule {
	const char *id, *family, *cwe, *message, *hint, *file; /* of the documents */
	enum event_severity severity;
	enum code_language language;
	json_t *match, *no_match; /* borrowed */
};

/* One pattern of one rule: its shape is shared, its predicates are its own. */
struct variant {
	struct variant *next;
	const struct rule *rule;
	struct predicate *predicates;	   /* owned list */
	char *captures[RULE_CAPTURES_MAX]; /* owned names, in the order of the pattern */
	uint32_t capture_count;
	uint32_t here; /* the capture that a finding is reported at */
};

struct shape {
	char *text; /* owned: the pattern without predicates, captures numbered */
	struct variant *variants;
	/* Where each variant needs a name of one and the same capture, who asks for it: a name
	 * that none of them wants need not be shown to each. */
	uint32_t gate;	  /* the capture; RULE_CAPTURES_MAX: there is none */
	uint64_t *askers; /* owned */
	uint32_t asker_words;
};

/* What to try at a node, by its symbol. */
struct rule_form {
	struct shape_form form;
	uint32_t shape;
	uint32_t gate; /* the step that the shape's gate is; SHAPE_STEPS_MAX: none or several */
	uint32_t next; /* index + 1 of the next with the same first symbol */
};

struct rule_set {
	struct shape *shapes;
	size_t shape_count;
	struct rule_form *forms;
	size_t form_count;
	struct name_index *names; /* what the predicates ask for */
	uint32_t *first; /* symbol of the first step -> index + 1 of a form; 0: any symbol */
};

struct code_rules {
	struct rule_set sets[CODE_LANGUAGES];
	struct rule rules[RULES_MAX];
	size_t rule_count;
	json_t *documents[256]; /* referenced */
	char *files[256];	/* owned names */
	size_t document_count;
};

/* Where the forms of a symbol begin in `first`. */
uint32_t rule_slot(enum code_language language, uint16_t symbol);

/* Adds a document; `file` is its name for errors. -EINVAL says which rule and what is wrong. */
nodiscard int code_rules_add(struct code_rules *rules, const struct schema *schema,
			     json_t *document, const char *file, struct err *err);

/* Adds every *.json of `folder` and its subfolders of one level. */
nodiscard int code_rules_load(struct code_rules *rules, const struct schema *schema, int folder,
			      struct err *err);

/* Makes the rules of one language ready; after the last addition. */
nodiscard int code_rules_ready(struct code_rules *rules, enum code_language language,
			       struct err *err);

/* The same, and runs all their examples: -EINVAL names the first that fails. About 10 ms for 80
 * rules. */
nodiscard int code_rules_finish(struct code_rules *rules, enum code_language language,
				struct err *err);

/* Runs the examples of one rule; -EINVAL at the first that fails. */
nodiscard int code_rules_prove_one(const struct code_rules *rules, size_t which,
				   struct err *err);
void code_rules_done(struct code_rules *rules);

/* --- findings ---------------------------------------------------------------------------- */

struct code_finding {
	const char *rule, *cwe, *hint; /* of the rules, or static */
	const char *family;
	enum event_severity severity;
	bool is_rejecting;			     /* set by the policy */
	uint32_t start, end;			     /* bytes */
	uint32_t line, column, end_line, end_column; /* from 1; columns count characters */
	char *message;				     /* owned */
};

struct policy;

struct code_findings {
	struct code_finding list[LIMIT_FINDINGS];
	size_t count;
	bool has_more;
	const struct policy
		*policy; /* says what weighs more when there are too many; NULL: none */
};

/* Adds a finding with an empty message; NULL: the list has it already, or is full of what
 * weighs as much. Otherwise the lightest makes room, so that no flood of small findings hides
 * what rejects. */
struct code_finding *code_findings_add(struct code_findings *findings, const char *rule,
				       enum event_severity severity, const char *cwe,
				       const char *hint, uint32_t start, uint32_t end);
void code_finding_say(struct code_finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Fills lines and columns, sorts by place. */
void code_findings_place(struct code_findings *findings, const char *text, size_t length);
void code_findings_done(struct code_findings *findings);

/* What all rules of the language say of `code`, which has its bindings. */
void code_judge(const struct code_rules *rules, struct code *code,
		struct code_findings *findings);

/* Everything about one source: encoding, syntax, rules, and what `policy` says of it; NULL: no
 * policy, and nothing rejects. 0 or -ENOMEM. */
nodiscard int code_examine(const struct code_rules *rules, const struct policy *policy,
			   enum code_language language, const char *text, size_t length,
			   uint64_t time_us, struct code_findings *findings, struct err *err);

#endif
