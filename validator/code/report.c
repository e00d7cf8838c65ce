#include "validator/code/report.h"

#include <string.h>

#include "base/utf8.h"

/* --- the line of a finding --------------------------------------------------------------- */

struct excerpt {
	const char *text;
	size_t length;
	size_t caret; /* bytes before the place */
};

/* A long line is shown around the place. */
static struct excerpt excerpt_of(const char *text, size_t length, uint32_t place)
{
	size_t at = place < length ? place : length;
	size_t start = at;
	size_t end = at;

	while (start > 0 && text[start - 1] != '\n' && at - start < REPORT_LINE_BYTES / 2)
		start--;
	while (start > 0 && start < at && ((unsigned char)text[start] & 0xc0) == 0x80)
		start++;
	while (end < length && text[end] != '\n' && end - start < REPORT_LINE_BYTES)
		end++;
	return (struct excerpt){text + start, end - start, at - start};
}

/* Without what would steer a terminal or is no UTF-8. */
static void add_plain(struct buf *buf, const char *text, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t bytes = utf8_sequence(text + i, length - i);
		bool is_bidi = bytes == 3 && memcmp(text + i, "\xe2\x80", 2) == 0 &&
			       (unsigned char)text[i + 2] >= 0xaa;

		is_bidi |= bytes == 3 && memcmp(text + i, "\xe2\x81", 2) == 0;
		if (bytes == 0 || is_bidi)
			buf_add_str(buf, "\xef\xbf\xbd");
		else if (bytes == 1 && ((unsigned char)text[i] < 0x20 || text[i] == 0x7f))
			buf_add_char(buf, ' ');
		else
			buf_add(buf, text + i, bytes);
		i += bytes == 0 ? 1 : bytes;
	}
}

static const char *message_of(const struct code_finding *finding)
{
	return finding->message != NULL ? finding->message : "";
}

/* --- for people -------------------------------------------------------------------------- */

static void add_caret(struct buf *ret, const struct excerpt *line)
{
	buf_add_str(ret, "       | ");
	for (size_t i = 0; i < line->caret; i++)
		if (((unsigned char)line->text[i] & 0xc0) != 0x80)
			buf_add_char(ret, ' ');
	buf_add_str(ret, "^\n");
}

void code_report_text(const struct report_source *source, const struct code_findings *findings,
		      struct buf *ret)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct code_finding *finding = &findings->list[i];
		struct excerpt line = excerpt_of(source->text, source->length, finding->start);

		buf_printf(ret, "%s:%u:%u: %s: ", source->file, finding->line, finding->column,
			   event_severity_name(finding->severity));
		buf_printf(ret, "%s [%s, %s]\n", message_of(finding), finding->rule,
			   finding->cwe);
		buf_printf(ret, "%6u | ", finding->line);
		add_plain(ret, line.text, line.length);
		buf_add_char(ret, '\n');
		add_caret(ret, &line);
		if (finding->hint[0] != '\0')
			buf_printf(ret, "       = hint: %s\n", finding->hint);
		if (finding->is_rejecting)
			buf_printf(ret, "       = the policy %s rejects the code for this\n",
				   source->policy);
	}
	if (findings->has_more)
		buf_printf(ret, "%s: there are more findings\n", source->file);
}

/* --- for programs ------------------------------------------------------------------------ */

static void write_place(struct jsonw *json, const struct code_finding *finding)
{
	jsonw_key_u64(json, "line", finding->line);
	jsonw_key_u64(json, "column", finding->column);
	jsonw_key_u64(json, "end_line", finding->end_line);
	jsonw_key_u64(json, "end_column", finding->end_column);
}

void code_findings_write(struct jsonw *json, const struct code_findings *findings,
			 const char *text, size_t length)
{
	jsonw_key(json, "findings");
	jsonw_array_open(json);
	for (size_t i = 0; i < findings->count; i++) {
		const struct code_finding *finding = &findings->list[i];
		struct excerpt line = excerpt_of(text, length, finding->start);
		own_buf plain = {.data = NULL};

		buf_init(&plain, (size_t)REPORT_LINE_BYTES * 4);
		add_plain(&plain, line.text, line.length);
		jsonw_object_open(json);
		jsonw_key_str(json, "rule", finding->rule);
		jsonw_key_str(json, "family", finding->family);
		jsonw_key_str(json, "severity", event_severity_name(finding->severity));
		jsonw_key_bool(json, "rejects", finding->is_rejecting);
		jsonw_key_str(json, "cwe", finding->cwe);
		write_place(json, finding);
		jsonw_key_str(json, "message", message_of(finding));
		jsonw_key_str(json, "source", plain.data != NULL ? plain.data : "");
		jsonw_key_str(json, "hint", finding->hint);
		jsonw_object_close(json);
	}
	jsonw_array_close(json);
	jsonw_key_bool(json, "findings_truncated", findings->has_more);
}

bool code_is_rejected(const struct code_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->list[i].is_rejecting)
			return true;
	return false;
}

void code_report_json(const struct report_source *source, const struct code_findings *findings,
		      struct buf *ret)
{
	struct jsonw json;

	jsonw_init(&json, ret);
	jsonw_object_open(&json);
	jsonw_key_str(&json, "file", source->file);
	jsonw_key_str(&json, "language", code_language_name(source->language));
	jsonw_key_str(&json, "verdict", code_is_rejected(findings) ? "rejected" : "accepted");
	code_findings_write(&json, findings, source->text, source->length);
	jsonw_object_close(&json);
	buf_add_char(ret, '\n');
}

/* --- for editors ------------------------------------------------------------------------- */

static const char *sarif_level(const struct code_finding *finding)
{
	if (finding->is_rejecting || finding->severity == SEVERITY_HIGH)
		return "error";
	return finding->severity == SEVERITY_INFO ? "note" : "warning";
}

static void open_member(struct jsonw *json, const char *key)
{
	jsonw_key(json, key);
	jsonw_object_open(json);
}

static void write_text(struct jsonw *json, const char *key, const char *text)
{
	open_member(json, key);
	jsonw_key_str(json, "text", text);
	jsonw_object_close(json);
}

/* A path may hold any byte, a URI reference few; a colon would make a scheme of what is before
 * it. What is not told to be relative to something else is relative to the reader's folder. */
static void write_uri(struct jsonw *json, const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~/";
	own_buf uri = {.data = NULL};

	buf_init(&uri, strlen(path) * 3 + 16);
	buf_add_str(&uri, path[0] == '/' ? "file://" : "");
	for (const char *at = path; *at != '\0'; at++) {
		if (strchr(plain, *at) != NULL)
			buf_add_char(&uri, *at);
		else
			buf_printf(&uri, "%%%02X", (unsigned char)*at);
	}
	jsonw_key_str(json, "uri", uri.data != NULL ? uri.data : "");
}

static void write_sarif_place(struct jsonw *json, const char *file,
			      const struct code_finding *finding)
{
	jsonw_key(json, "locations");
	jsonw_array_open(json);
	jsonw_object_open(json);
	open_member(json, "physicalLocation");
	open_member(json, "artifactLocation");
	write_uri(json, file);
	jsonw_object_close(json);
	open_member(json, "region");
	jsonw_key_u64(json, "startLine", finding->line);
	jsonw_key_u64(json, "startColumn", finding->column);
	jsonw_key_u64(json, "endLine", finding->end_line);
	jsonw_key_u64(json, "endColumn", finding->end_column);
	jsonw_object_close(json);
	jsonw_object_close(json);
	jsonw_object_close(json);
	jsonw_array_close(json);
}

/* Where the rule is in the document's list, which it joins at its first finding. */
static size_t find_rule(struct report_sarif *sarif, const struct code_finding *finding)
{
	size_t i = 0;

	while (i < sarif->rule_count && strcmp(sarif->rules[i].id, finding->rule) != 0)
		i++;
	if (i == sarif->rule_count && i < REPORT_RULES_MAX)
		sarif->rules[sarif->rule_count++] = (struct report_rule){
			finding->rule, finding->cwe, finding->family, finding->hint};
	return i;
}

static void write_sarif_rule(struct jsonw *json, const struct report_rule *rule)
{
	jsonw_object_open(json);
	jsonw_key_str(json, "id", rule->id);
	if (rule->hint[0] != '\0')
		write_text(json, "help", rule->hint);
	open_member(json, "properties");
	jsonw_key(json, "tags");
	jsonw_array_open(json);
	jsonw_str(json, rule->cwe);
	jsonw_str(json, rule->family);
	jsonw_array_close(json);
	jsonw_object_close(json);
	jsonw_object_close(json);
}

static void write_sarif_tool(struct jsonw *json, const struct report_sarif *sarif)
{
	open_member(json, "tool");
	open_member(json, "driver");
	jsonw_key_str(json, "name", "casemate");
	jsonw_key_str(json, "version", CASEMATE_VERSION);
	jsonw_key(json, "rules");
	jsonw_array_open(json);
	for (size_t i = 0; i < sarif->rule_count; i++)
		write_sarif_rule(json, &sarif->rules[i]);
	jsonw_array_close(json);
	jsonw_object_close(json);
	jsonw_object_close(json);
}

/* One run for all files: services that take such documents take few runs. */
void code_report_sarif_open(struct report_sarif *sarif, struct buf *ret)
{
	struct jsonw *json = &sarif->json;

	sarif->rule_count = 0;
	jsonw_init(json, ret);
	jsonw_object_open(json);
	jsonw_key_str(json, "$schema",
		      "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
		      "sarif-schema-2.1.0.json");
	jsonw_key_str(json, "version", "2.1.0");
	jsonw_key(json, "runs");
	jsonw_array_open(json);
	jsonw_object_open(json);
	/* SARIF counts UTF-16 code units unless it is told. */
	jsonw_key_str(json, "columnKind", "unicodeCodePoints");
	jsonw_key(json, "results");
	jsonw_array_open(json);
}

void code_report_sarif(struct report_sarif *sarif, const struct report_source *source,
		       const struct code_findings *findings)
{
	struct jsonw *json = &sarif->json;

	for (size_t i = 0; i < findings->count; i++) {
		const struct code_finding *finding = &findings->list[i];
		size_t rule = find_rule(sarif, finding);

		jsonw_object_open(json);
		jsonw_key_str(json, "ruleId", finding->rule);
		if (rule < sarif->rule_count)
			jsonw_key_u64(json, "ruleIndex", rule);
		jsonw_key_str(json, "level", sarif_level(finding));
		write_text(json, "message", message_of(finding));
		write_sarif_place(json, source->file, finding);
		jsonw_object_close(json);
	}
}

void code_report_sarif_close(struct report_sarif *sarif, struct buf *ret)
{
	struct jsonw *json = &sarif->json;

	jsonw_array_close(json);
	write_sarif_tool(json, sarif);
	jsonw_object_close(json);
	jsonw_array_close(json);
	jsonw_object_close(json);
	buf_add_char(ret, '\n');
}
