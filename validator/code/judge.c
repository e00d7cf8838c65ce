/* One source: its bytes, its syntax, its rules. */
#include <stdarg.h>
#include <string.h>

#include "base/utf8.h"
#include "validator/code/enforce.h"
#include "validator/code/fold.h"
#include "validator/code/names.h"
#include "validator/code/nested.h"
#include "validator/code/predicates.h"
#include "validator/code/syntax.h"

/* --- findings ---------------------------------------------------------------------------- */

/* The place of the lightest, the last of several, if what comes weighs more. */
static struct code_finding *make_room(struct code_findings *findings,
				      const struct code_finding *coming)
{
	struct code_finding *lightest = &findings->list[0];
	unsigned least = code_weight(findings->policy, lightest);

	for (size_t i = 1; i < findings->count; i++) {
		unsigned weight = code_weight(findings->policy, &findings->list[i]);

		if (weight <= least) {
			lightest = &findings->list[i];
			least = weight;
		}
	}
	if (code_weight(findings->policy, coming) <= least)
		return NULL;
	free(lightest->message);
	return lightest;
}

struct code_finding *code_findings_add(struct code_findings *findings, const char *rule,
				       enum event_severity severity, const char *cwe,
				       const char *hint, uint32_t start, uint32_t end)
{
	const struct code_finding coming = {.rule = rule,
					    .cwe = cwe,
					    .hint = hint,
					    .family = "source",
					    .severity = severity,
					    .start = start,
					    .end = end};
	struct code_finding *finding;

	for (size_t i = 0; i < findings->count; i++)
		if (findings->list[i].start == start &&
		    strcmp(findings->list[i].rule, rule) == 0)
			return NULL;
	if (findings->count < LIMIT_FINDINGS)
		finding = &findings->list[findings->count++];
	else {
		findings->has_more = true;
		finding = make_room(findings, &coming);
	}
	if (finding != NULL)
		*finding = coming;
	return finding;
}

void code_finding_say(struct code_finding *finding, const char *format, ...)
{
	va_list arguments;

	if (finding == NULL)
		return;
	va_start(arguments, format);
	free(finding->message);
	if (vasprintf(&finding->message, format, arguments) < 0)
		finding->message = NULL;
	va_end(arguments);
}

static int by_place(const void *a, const void *b)
{
	const struct code_finding *one = a;
	const struct code_finding *two = b;

	if (one->start != two->start)
		return one->start < two->start ? -1 : 1;
	return strcmp(one->rule, two->rule);
}

/* Columns count characters; a byte that belongs to none counts as one. */
static void advance(const char *text, uint32_t *at, uint32_t until, uint32_t *line,
		    uint32_t *column)
{
	for (; *at < until; (*at)++) {
		if (text[*at] == '\n') {
			(*line)++;
			*column = 1;
		} else if (((unsigned char)text[*at] & 0xc0) != 0x80)
			(*column)++;
	}
}

void code_findings_place(struct code_findings *findings, const char *text, size_t length)
{
	uint32_t at = 0;
	uint32_t line = 1;
	uint32_t column = 1;

	qsort(findings->list, findings->count, sizeof(findings->list[0]), by_place);
	for (size_t i = 0; i < findings->count; i++) {
		struct code_finding *finding = &findings->list[i];
		uint32_t end = finding->end < length ? finding->end : (uint32_t)length;
		uint32_t inner;

		advance(text, &at, finding->start, &line, &column);
		finding->line = finding->end_line = line;
		finding->column = finding->end_column = column;
		/* The end only when it is near: a finding may be about a whole file. */
		if (end > at && end - at < 4096) {
			inner = at;
			advance(text, &inner, end, &finding->end_line, &finding->end_column);
		}
	}
}

void code_findings_done(struct code_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		free(findings->list[i].message);
	findings->count = 0;
	findings->has_more = false;
}

/* --- messages ---------------------------------------------------------------------------- */

static void add_shown(struct buf *buf, const char *text, size_t length)
{
	size_t shown = length > RULE_TEXT_SHOWN ? RULE_TEXT_SHOWN : length;

	for (size_t i = 0; i < shown;) {
		size_t bytes = utf8_sequence(text + i, length - i);

		if (bytes == 0 || (bytes == 1 && (unsigned char)text[i] < 0x20)) {
			buf_add_char(buf, ' ');
			bytes = 1;
		} else
			buf_add(buf, text + i, bytes);
		i += bytes;
	}
	if (shown < length)
		buf_add_str(buf, "...");
}

/* What a rule's {capture} stands for: the name that was asked for, else any, else the text. */
static void add_capture(struct buf *buf, struct captured *captured, uint32_t capture)
{
	struct code *code = captured->code;
	uint32_t node = captured->of[capture].nodes[0];
	uint32_t name = captured->of[capture].name;

	if (name == 0 && code_names_of(code, node)->count > 0)
		name = code_names_of(code, node)->ids[0];
	if (name != 0) {
		const char *text = code_string(code, name);

		if (strncmp(text, "builtins.", 9) == 0)
			text += 9;
		add_shown(buf, text, strlen(text));
	} else
		add_shown(buf, code_text(code, node), code_length(code, node));
}

static bool add_braced(struct buf *buf, const struct variant *variant,
		       struct captured *captured, const char *name, size_t length)
{
	for (uint32_t i = 0; i < variant->capture_count; i++)
		if (strlen(variant->captures[i]) == length &&
		    memcmp(variant->captures[i], name, length) == 0 &&
		    captured->of[i].count > 0) {
			add_capture(buf, captured, i);
			return true;
		}
	return false;
}

static void say(struct code_finding *finding, const struct variant *variant,
		struct captured *captured)
{
	const char *at = variant->rule->message;
	own_buf text = {.data = NULL};

	buf_init(&text, 4096);
	while (*at != '\0') {
		size_t plain = strcspn(at, "{");
		size_t inside = at[plain] == '{' ? strcspn(at + plain + 1, "}") : 0;

		buf_add(&text, at, plain);
		at += plain;
		if (*at == '\0')
			break;
		if (at[inside + 1] == '}' &&
		    add_braced(&text, variant, captured, at + 1, inside))
			at += inside + 2;
		else
			buf_add_char(&text, *at++);
	}
	code_finding_say(finding, "%s", text.data != NULL ? text.data : "");
}

/* --- rules ------------------------------------------------------------------------------- */

static bool has_wanted_name(const struct shape *shape, struct captured *captured, uint32_t node)
{
	const struct code_names *names = code_names_of(captured->code, node);

	for (uint32_t i = 0; i < names->count; i++)
		if (name_index_any(captured->names, captured->code, names->ids[i],
				   shape->askers, shape->asker_words))
			return true;
	return false;
}

static bool is_wanted(const struct shape *shape, struct captured *captured)
{
	uint32_t gate = shape->gate;

	if (gate == RULE_CAPTURES_MAX)
		return true;
	for (uint32_t i = 0; i < captured->of[gate].count; i++)
		if (has_wanted_name(shape, captured, captured->of[gate].nodes[i]))
			return true;
	return false;
}

static void judge_match(const struct shape *shape, struct captured *captured,
			struct code_findings *findings)
{
	for (const struct variant *variant = shape->variants; variant != NULL;
	     variant = variant->next) {
		const struct rule *rule = variant->rule;
		const struct code_node *node;
		struct code_finding *finding;
		uint32_t here = variant->here;

		if (!predicates_hold(variant->predicates, captured))
			continue;
		for (uint32_t i = 0; captured->of[here].count == 0 && i < RULE_CAPTURES_MAX;
		     i++)
			if (captured->of[i].count > 0)
				here = i;
		if (captured->of[here].count == 0)
			continue;
		node = &captured->code->nodes[captured->of[here].nodes[0]];
		finding = code_findings_add(findings, rule->id, rule->severity, rule->cwe,
					    rule->hint, node->start, node->end);
		if (finding == NULL)
			continue;
		finding->family = rule->family;
		say(finding, variant, captured);
	}
}

struct judging {
	const struct rule_set *set;
	const struct rule_form *form;
	struct code_findings *findings;
	struct captured captured;
};

static void judge_found(void *context, const uint32_t *nodes)
{
	struct judging *work = context;
	const struct shape_form *form = &work->form->form;
	struct captured *captured = &work->captured;

	for (uint32_t step = 0; step < form->count; step++)
		for (uint32_t i = 0; form->steps[step].captures >> i != 0; i++)
			if ((form->steps[step].captures >> i & 1u) != 0 &&
			    captured->of[i].count < ARRAY_COUNT(captured->of[i].nodes))
				captured->of[i].nodes[captured->of[i].count++] = nodes[step];
	if (work->form->gate != SHAPE_STEPS_MAX ||
	    is_wanted(&work->set->shapes[work->form->shape], captured))
		judge_match(&work->set->shapes[work->form->shape], captured, work->findings);
	for (uint32_t i = 0; form->captures >> i != 0; i++)
		captured->of[i].count = captured->of[i].name = 0;
}

static bool judge_gate(void *context, uint32_t node)
{
	struct judging *work = context;

	return has_wanted_name(&work->set->shapes[work->form->shape], &work->captured, node);
}

static void judge_node(struct judging *work, uint32_t node, uint32_t slot)
{
	struct code *code = work->captured.code;
	struct shape_seeker seeker = {
		.found = judge_found, .is_wanted = judge_gate, .context = work};

	for (uint32_t at = work->set->first[slot]; at != 0; at = work->form->next) {
		work->form = &work->set->forms[at - 1];
		seeker.gate = work->form->gate;
		shape_follow(&work->form->form, code, node, &seeker);
	}
}

void code_judge(const struct code_rules *rules, struct code *code,
		struct code_findings *findings)
{
	struct judging work = {.set = &rules->sets[code->language], .findings = findings};

	work.captured.code = code;
	work.captured.names = work.set->names;
	if (work.set->first == NULL)
		return;
	for (uint32_t node = 0; node < code->count && code_go(code); node++) {
		judge_node(&work, node, rule_slot(code->language, code->nodes[node].symbol));
		judge_node(&work, node, 0);
	}
}

/* --- bytes ------------------------------------------------------------------------------- */

#define HINT_ENCODING "Send the source as UTF-8."
#define HINT_BIDI                                                                             \
	"Remove it: the text would be read in another order than it runs. In a string write " \
	"an "                                                                                 \
	"escape such as \\u202e."
#define HINT_CONTROL "Remove it, or write an escape in a string."

/* The first of each kind is told; more of them say nothing new. */
static void examine_bytes(const char *text, size_t length, struct code_findings *findings)
{
	bool has_wrong = false;
	bool has_bidi = false;
	bool has_control = false;

	for (size_t i = 0; i < length;) {
		size_t bytes = utf8_sequence(text + i, length - i);
		uint32_t at = (uint32_t)i;

		if (bytes == 0 && !has_wrong) {
			has_wrong = true;
			code_finding_say(code_findings_add(findings, "source-encoding",
							   SEVERITY_MEDIUM, "CWE-176",
							   HINT_ENCODING, at, at + 1),
					 "the byte 0x%02x is no UTF-8", (unsigned char)text[i]);
		}
		if (!has_bidi && utf8_turns_text(text + i, bytes)) {
			has_bidi = true;
			code_finding_say(
				code_findings_add(findings, "source-bidi", SEVERITY_HIGH,
						  "CWE-1007", HINT_BIDI, at, at + 3),
				"an invisible character changes the direction of the text");
		}
		if (!has_control && bytes == 1 && utf8_is_control((unsigned char)text[i])) {
			has_control = true;
			code_finding_say(
				code_findings_add(findings, "source-control", SEVERITY_LOW,
						  "CWE-116", HINT_CONTROL, at, at + 1),
				"the control character 0x%02x", (unsigned char)text[i]);
		}
		i += bytes == 0 ? 1 : bytes;
	}
}

/* --- what is too large or takes too long ------------------------------------------------- */

#define HINT_LIMIT "Split the source, or move data into an input file."

static void tell_limit(enum code_limit limit, size_t length, struct code_findings *findings)
{
	static const char *const why[] = {
		[CODE_WHOLE] = "",

		[CODE_TOO_SLOW] = "the source cannot be judged within the time for it",

	};
	struct code_finding *finding =
		code_findings_add(findings, "source-limit", SEVERITY_HIGH, "CWE-1325",
				  HINT_LIMIT, 0, length > 0 ? 1 : 0);

	if (limit == CODE_TOO_LARGE)
		code_finding_say(finding, "the source is larger than %llu bytes",
				 LIMIT_CODE_BYTES);
	else if (limit == CODE_TOO_MANY_NODES)
		code_finding_say(finding, "the source has more than %u parts",
				 LIMIT_CODE_TOKENS);
	else
		code_finding_say(finding, "%s", why[CODE_TOO_SLOW]);
}

/* --- code in texts ----------------------------------------------------------------------- */

struct examining {
	const struct code_rules *rules;
	const struct policy *policy;
	struct code_findings *findings;
	struct err *err;
};

static int judge_tree(const struct examining *work, struct code *code, unsigned depth);

/* What was found in a text is told at the place where it is run. */
static void hand_up(struct code_findings *findings, const struct code_findings *inner,
		    const struct code_node *place)
{
	for (size_t i = 0; i < inner->count; i++) {
		const struct code_finding *one = &inner->list[i];
		struct code_finding *finding =
			code_findings_add(findings, one->rule, one->severity, one->cwe,
					  one->hint, place->start, place->end);

		if (finding == NULL)
			continue;
		finding->family = one->family;
		finding->is_rejecting = one->is_rejecting;
		code_finding_say(finding, "in the code that is run from a text here: %s",
				 one->message != NULL ? one->message : "");
	}
	findings->has_more |= inner->has_more;
}

/* The text shares the time and the steps of what holds it. One that does not parse says
 * nothing: it may be for another shell, or a piece. */
static int judge_text(const struct examining *work, struct code *code, uint32_t node,
		      enum code_language language, const struct code_value *text,
		      unsigned depth)
{
	own_mem struct code_findings *inner = calloc(1, sizeof(*inner));
	struct examining below = *work;
	struct code nested;
	int status;

	if (inner == NULL)
		return err_set(work->err, ENOMEM, "memory for findings");
	inner->policy = work->policy;
	below.findings = inner;
	status = code_open_within(&nested, code, language, text->text, text->length, work->err);
	if (status < 0)
		return status;
	if (nested.limit == CODE_WHOLE)
		status = judge_tree(&below, &nested, depth + 1);
	code_close_within(&nested, code);
	hand_up(work->findings, inner, &code->nodes[node]);
	code_findings_done(inner);
	return status;
}

#define HINT_NESTED "Write the code itself."

static int judge_texts(const struct examining *work, struct code *code, unsigned depth)
{
	int status = 0;

	for (uint32_t node = 0; node < code->count && status == 0 && code_go(code); node++) {
		enum code_language language;
		struct code_value text;

		if (!code_runs_text(code, node, &language, &text))
			continue;
		if (depth < NESTED_DEPTH_MAX)
			status = judge_text(work, code, node, language, &text, depth);
		else
			code_finding_say(code_findings_add(work->findings, "source-nested",
							   SEVERITY_HIGH, "CWE-95", HINT_NESTED,
							   code->nodes[node].start,
							   code->nodes[node].end),
					 "code in texts in texts, more than %u deep",
					 NESTED_DEPTH_MAX);
	}
	return status;
}

static int judge_tree(const struct examining *work, struct code *code, unsigned depth)
{
	int status = code_bind_all(code, work->err);

	if (status < 0)
		return status;
	/* First what the policy denies, so that no flood of findings hides it. */
	if (work->policy != NULL)
		code_enforce(work->policy, code, work->findings);
	code_judge(work->rules, code, work->findings);
	return judge_texts(work, code, depth);
}

int code_examine(const struct code_rules *rules, const struct policy *policy,
		 enum code_language language, const char *text, size_t length, uint64_t time_us,
		 struct code_findings *findings, struct err *err)
{
	const struct examining work = {rules, policy, findings, err};
	struct code code;
	int status;

	findings->policy = policy;
	if (length <= LIMIT_CODE_BYTES)
		examine_bytes(text, length, findings);
	status = code_open(&code, language, text, length, time_us, err);
	if (status < 0)
		return status;
	if (code.limit == CODE_WHOLE) {
		code_examine_syntax(&code, findings);
		status = judge_tree(&work, &code, 0);
	}
	if (code.is_over && code.limit == CODE_WHOLE)
		code.limit = CODE_TOO_SLOW;
	if (code.limit != CODE_WHOLE)
		tell_limit(code.limit, length, findings);
	code_close(&code);
	if (policy != NULL) {
		code_enforce_size(policy, text, length, findings);
		code_decide(policy, findings);
	}
	code_findings_place(findings, text, length);
	return status;
}
