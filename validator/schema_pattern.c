#include "validator/schema_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "validator/schema_value.h"

/* Strings up to here are first tried without counting each step: PCRE2's own limit bounds the
 * backtracking per starting point, and the square of the length bounds what it does not see. */
#define QUICK_BYTES_MAX 256
#define QUICK_STEPS	400

#define PATTERN_PARENS_MAX 200 /* nesting of groups: bounds the compiler's recursion */

struct schema_pattern {
	char *text;
	pcre2_code *quick;
	pcre2_code *counted; /* the same with a callout before each item */
	bool is_line;
	struct quick_pattern line; /* when is_line: the same again */
};

static pcre2_code *compile(const struct buf *text, uint32_t options, int *ret_code)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_code *code = NULL;
	PCRE2_SIZE at;

	*ret_code = PCRE2_ERROR_NOMEMORY;
	if (context == NULL)
		return NULL;
	(void)pcre2_set_parens_nest_limit(context, PATTERN_PARENS_MAX);
	/* ECMA-262: $ matches at the very end only; a group that took no part is empty. */
	options |= PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C |
		   PCRE2_MATCH_UNSET_BACKREF;
	code = pcre2_compile((PCRE2_SPTR)(text->data != NULL ? text->data : ""), text->length,
			     options, ret_code, &at, context);
	pcre2_compile_context_free(context);
	return code;
}

static int pattern_compile(struct schema_pattern *pattern, size_t length, struct err *err)
{
	own_buf translated;
	const char *fault;
	char reason[128];
	int code = 0;

	/* \s becomes about 120 bytes. */
	buf_init(&translated, (size_t)PATTERN_BYTES_MAX * 128);
	fault = schema_pattern_translate(pattern->text, length, &translated);
	if (fault != NULL)
		return err_set(err, EINVAL, "is not a pattern: %s", fault);
	if (buf_check(&translated, NULL) < 0)
		return err_errno(err, ENOMEM, "compile a pattern");
	pattern->quick = compile(&translated, 0, &code);
	if (pattern->quick != NULL)
		pattern->counted = compile(&translated,
					   PCRE2_AUTO_CALLOUT | PCRE2_NO_START_OPTIMIZE, &code);
	if (pattern->counted != NULL)
		return 0;
	(void)pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof(reason));
	return err_set(err, EINVAL, "is not a pattern: %s", reason);
}

int schema_pattern_new(const char *text, size_t length, struct schema_pattern **ret,
		       struct err *err)
{
	struct schema_pattern *pattern;
	int status;

	if (length > PATTERN_BYTES_MAX)
		return err_set(err, EINVAL, "is not a pattern: longer than %u bytes",
			       PATTERN_BYTES_MAX);
	pattern = calloc(1, sizeof(*pattern));
	if (pattern == NULL)
		return err_errno(err, ENOMEM, "compile a pattern");
	pattern->text = malloc(length + 1);
	if (pattern->text != NULL) {
		/* A pattern may have a NUL: only messages end there. */
		memcpy(pattern->text, text, length);
		pattern->text[length] = '\0';
	}
	status = pattern->text == NULL ? err_errno(err, ENOMEM, "compile a pattern")
				       : pattern_compile(pattern, length, err);
	if (status < 0) {
		schema_pattern_free(pattern);
		return status;
	}
	pattern->is_line = quick_pattern_make(text, length, &pattern->line);
	*ret = pattern;
	return 0;
}

void schema_pattern_free(struct schema_pattern *pattern)
{
	if (pattern == NULL)
		return;
	pcre2_code_free(pattern->quick);
	pcre2_code_free(pattern->counted);
	free(pattern->text);
	free(pattern);
}

const char *schema_pattern_text(const struct schema_pattern *pattern)
{
	return pattern->text;
}

/* --- matching ---------------------------------------------------------------------------- */

/* Called before each item: one step, and one for every 4 bytes it moved. */
static int count_step(pcre2_callout_block *block, void *owner)
{
	struct pattern_run *run = owner;
	size_t last = run->last_position;
	size_t moved = block->current_position > last ? block->current_position - last
						      : last - block->current_position;
	uint64_t steps = 1 + moved / 4;

	run->last_position = block->current_position;
	if (run->steps_left < steps)
		return PCRE2_ERROR_CALLOUT;
	run->steps_left -= steps;
	return 0;
}

static bool run_prepare(struct pattern_run *run)
{
	if (run->match != NULL)
		return true;
	run->match = pcre2_match_data_create(1, NULL);
	run->context = pcre2_match_context_create(NULL);
	if (run->match == NULL || run->context == NULL)
		return false;
	(void)pcre2_set_heap_limit(run->context, PATTERN_HEAP_KIB);
	(void)pcre2_set_callout(run->context, count_step, run);
	return true;
}

static int match(struct pattern_run *run, const pcre2_code *code, const char *data,
		 size_t length, uint32_t limit)
{
	(void)pcre2_set_match_limit(run->context, limit);
	(void)pcre2_set_depth_limit(run->context, limit);
	return pcre2_match(code, (PCRE2_SPTR)data, length, 0, PCRE2_NO_UTF_CHECK, run->match,
			   run->context);
}

static enum pattern_result match_counted(const struct schema_pattern *pattern, const char *data,
					 size_t length, struct pattern_run *run)
{
	uint64_t steps = PATTERN_STEPS_MAX + 8 * (uint64_t)length;
	int code;

	if (steps > 4 * *run->work)
		steps = 4 * *run->work;
	run->steps_left = steps;
	run->last_position = 0;
	code = match(run, pattern->counted, data, length, UINT32_MAX);
	/* One step takes about 40 ns, four units of work. */
	(void)work_take(run->work, 4 * (steps - run->steps_left));
	if (code >= 0)
		return PATTERN_MATCH;
	return code == PCRE2_ERROR_NOMATCH ? PATTERN_MISS : PATTERN_UNDECIDED;
}

enum pattern_result schema_pattern_match(const struct schema_pattern *pattern, const char *data,
					 size_t length, struct pattern_run *run)
{
	int code;

	if (!work_take(run->work, 16 + length))
		return PATTERN_UNDECIDED;
	if (pattern->is_line)
		return quick_pattern_match(&pattern->line, data, length) ? PATTERN_MATCH
									 : PATTERN_MISS;
	if (!run_prepare(run))
		return PATTERN_UNDECIDED;
	if (length > QUICK_BYTES_MAX)
		return match_counted(pattern, data, length, run);
	code = match(run, pattern->quick, data, length, QUICK_STEPS);
	if (code >= 0)
		return PATTERN_MATCH;
	if (code == PCRE2_ERROR_NOMATCH)
		return PATTERN_MISS;
	return match_counted(pattern, data, length, run);
}

void pattern_run_done(struct pattern_run *run)
{
	pcre2_match_data_free(run->match);
	pcre2_match_context_free(run->context);
	run->match = NULL;
	run->context = NULL;
}
