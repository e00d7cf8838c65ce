/*
 * validator/code/report.h - findings for people, programs and editors.
 */
#ifndef VALIDATOR_CODE_REPORT_H
#define VALIDATOR_CODE_REPORT_H

#include "base/jsonw.h"
#include "validator/code/rules.h"

/* All findings as text, bytes: each has under 4 KiB, escapes of a hostile line included. */
#define REPORT_BYTES_MAX ((size_t)LIMIT_FINDINGS * 16384)

/* What is shown of a source line, bytes. */
#define REPORT_LINE_BYTES 160

struct report_source {
	const char *file; /* as it was named */
	enum code_language language;
	const char *text;
	size_t length;
	const char *policy; /* by which it was judged, for people; NULL where nothing rejects */
};

/* A finding that the policy does not let pass. */
bool code_is_rejected(const struct code_findings *findings);

/* The members "findings" and "findings_truncated", as in every answer. */
void code_findings_write(struct jsonw *json, const struct code_findings *findings,
			 const char *text, size_t length);

/* As a compiler writes: file:line:column: severity: message [rule, CWE], the line, a caret, the
 * hint. */
void code_report_text(const struct report_source *source, const struct code_findings *findings,
		      struct buf *ret);
/* {"file": ..., "verdict": ..., "findings": [...]} and a newline. */
void code_report_json(const struct report_source *source, const struct code_findings *findings,
		      struct buf *ret);

/* --- SARIF 2.1.0 of OASIS: one document, of all sources in their order
 * -------------------------
 */

/* Rules and the findings that need none. */
#define REPORT_RULES_MAX (RULES_MAX + 64)

struct report_rule {
	const char *id, *cwe, *family, *hint;
};

/* `json` writes results as they come, so the rules that they name are told at the end. */
struct report_sarif {
	struct jsonw json;
	size_t rule_count;
	struct report_rule rules[REPORT_RULES_MAX]; /* borrowed from rules and policies */
};

void code_report_sarif_open(struct report_sarif *sarif, struct buf *ret);
void code_report_sarif(struct report_sarif *sarif, const struct report_source *source,
		       const struct code_findings *findings);
void code_report_sarif_close(struct report_sarif *sarif, struct buf *ret);

#endif
