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

/* SARIF 2.1.0 of OASIS: a document of one run a source, in order. */
void code_report_sarif_open(struct jsonw *json, struct buf *ret);
void code_report_sarif(struct jsonw *json, const struct report_source *source,
		       const struct code_findings *findings);
void code_report_sarif_close(struct jsonw *json, struct buf *ret);

#endif
