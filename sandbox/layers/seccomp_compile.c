/*
 * sandbox/layers/seccomp_compile.c - a list's rules as a program: the kernel's answer is found
 * by halving the numbers, neighbours with one answer being one range. Of several rules of one
 * call the first that holds decides.
 *
 * Each worker and each init loads a program, which the kernel checks and compiles anew, line by
 * line: libseccomp's has two thirds more of them. A unit test compares what the two say.
 */
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memfd.h"
#include "sandbox/layers/seccomp_lines.h"
#include "sandbox/layers/seccomp_rules.h"

#define X32_FIRST 0x40000000u /* numbers of x32 */

/* What happens to a call without a rule. A cell's init makes no other call than its few, so
 * another one is an attacker's; a program gets the answer that makes its libraries fall back.
 */
static uint32_t default_answer(enum seccomp_list list)
{
	return list == SECCOMP_LIST_INIT ? SECCOMP_RET_KILL_PROCESS
					 : SECCOMP_RET_ERRNO | ENOSYS;
}

/* Numbers from `first` to the next range's. */
struct range {
	uint32_t first;
	uint32_t answer;			 /* where there are no rules */
	const struct seccomp_rule *const *rules; /* of the one number; NULL: none to look at */
	size_t count;
};

/* A range for each call that has rules, and one for the gap behind it. */
#define RANGES_MAX (2 * SECCOMP_RULES_MAX + 1)

struct ranges {
	struct range list[RANGES_MAX];
	size_t count;
};

struct compiler {
	struct seccomp_lines lines;
	struct seccomp_rules rules; /* of one call beside each other, calls by number */
	struct ranges ranges;
	enum seccomp_voice voice;
	uint32_t otherwise;
};

static uint32_t answer_of(const struct compiler *compiler, const struct seccomp_rule *rule)
{
	switch (rule->verdict) {
	case SECCOMP_PASS:
		return SECCOMP_RET_ALLOW;
	case SECCOMP_PRETEND:
		return SECCOMP_RET_ERRNO;
	case SECCOMP_ABSENT:
		return compiler->otherwise;
	default:
		break;
	}
	if (compiler->voice == SECCOMP_TELL)
		return SECCOMP_RET_USER_NOTIF;
	return rule->verdict == SECCOMP_OBSERVE ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | EPERM;
}

/* --- conditions -------------------------------------------------------------------------- */

/* One half of an argument, which is all that a line of a program can look at. */
struct half {
	size_t offset;
	uint32_t mask;
	uint32_t value;
};

/* The halves a condition looks at, the low one first (the machines we run on are
 * little-endian).
 */
static unsigned halves_of(const struct scmp_arg_cmp *cond, struct half ret[2])
{
	bool is_masked = cond->op == SCMP_CMP_MASKED_EQ;
	uint64_t mask = is_masked ? cond->datum_a : UINT64_MAX;
	uint64_t value = is_masked ? cond->datum_b : cond->datum_a;
	unsigned count = 0;

	for (unsigned i = 0; i < 2; i++, mask >>= 32, value >>= 32)
		if ((uint32_t)mask != 0)
			ret[count++] = (struct half){
				.offset = offsetof(struct seccomp_data, args) +
					  cond->arg * sizeof(uint64_t) + i * sizeof(uint32_t),
				.mask = (uint32_t)mask,
				.value = (uint32_t)value,
			};
	return count;
}

/* Goes to `yes` when the condition holds. */
static size_t put_cond(struct seccomp_lines *lines, const struct scmp_arg_cmp *cond, size_t yes,
		       size_t no)
{
	bool is_not = cond->op == SCMP_CMP_NE;
	size_t differs = is_not ? yes : no;
	size_t at = is_not ? no : yes;
	struct half halves[2];
	unsigned count = halves_of(cond, halves);

	for (unsigned i = 0; i < count; i++) {
		(void)seccomp_lines_jump(lines, BPF_JEQ, halves[i].value, at, differs);
		at = seccomp_lines_load(lines, halves[i].offset, halves[i].mask);
	}
	return at;
}

/* --- the rules of one call --------------------------------------------------------------- */

/* A rule that looks at nothing but one half of one argument. */
static bool has_one_half(const struct seccomp_rule *rule, struct half *ret)
{
	struct half halves[2];

	if (rule->cond_count != 1 || rule->conds[0].op == SCMP_CMP_NE ||
	    halves_of(&rule->conds[0], halves) != 1)
		return false;
	*ret = halves[0];
	return true;
}

/* Behind such a rule that did not hold, the next one of the same half finds it loaded. */
static bool is_loaded(const struct seccomp_rule *const *rules, size_t at, struct half *ret)
{
	struct half before;

	return at > 0 && has_one_half(rules[at], ret) && has_one_half(rules[at - 1], &before) &&
	       before.offset == ret->offset && before.mask == ret->mask;
}

static size_t put_rule(struct compiler *compiler, const struct seccomp_rule *const *rules,
		       size_t at, size_t next)
{
	struct seccomp_lines *lines = &compiler->lines;
	size_t yes = seccomp_lines_answer(lines, answer_of(compiler, rules[at]));
	struct half half;

	if (is_loaded(rules, at, &half))
		return seccomp_lines_jump(lines, BPF_JEQ, half.value, yes, next);
	for (unsigned i = rules[at]->cond_count; i > 0; i--)
		yes = put_cond(lines, &rules[at]->conds[i - 1], yes, next);
	return yes;
}

static size_t put_call(struct compiler *compiler, const struct seccomp_rule *const *rules,
		       size_t count)
{
	size_t next = seccomp_lines_answer(&compiler->lines, compiler->otherwise);

	for (size_t i = count; i > 0; i--)
		next = put_rule(compiler, rules, i - 1, next);
	return next;
}

/* --- the numbers ------------------------------------------------------------------------- */

/* Goes to the answer of what was loaded: the number. */
static size_t put_ranges(struct compiler *compiler, const struct range *ranges, size_t count)
{
	size_t half = count / 2;
	size_t above;
	size_t below;

	if (count == 1 && ranges->rules != NULL)
		return put_call(compiler, ranges->rules, ranges->count);
	if (count == 1)
		return seccomp_lines_answer(&compiler->lines, ranges->answer);
	above = put_ranges(compiler, ranges + half, count - half);
	below = put_ranges(compiler, ranges, half);
	return seccomp_lines_jump(&compiler->lines, BPF_JGE, ranges[half].first, above, below);
}

static void add_range(struct ranges *ranges, const struct range *range)
{
	struct range *last = ranges->count > 0 ? &ranges->list[ranges->count - 1] : NULL;

	/* Nothing lies between two neighbours. */
	if (last != NULL && last->first == range->first)
		last = --ranges->count > 0 ? last - 1 : NULL;
	if (last == NULL || last->rules != NULL || range->rules != NULL ||
	    last->answer != range->answer)
		ranges->list[ranges->count++] = *range;
}

static void find_ranges(struct compiler *compiler)
{
	const struct seccomp_rules *rules = &compiler->rules;
	struct ranges *ret = &compiler->ranges;
	size_t count;

	ret->count = 0;
	add_range(ret, &(struct range){.answer = compiler->otherwise});
	for (size_t i = 0; i < rules->count; i += count) {
		const struct seccomp_rule *const *call = &rules->list[i];
		uint32_t number = (uint32_t)call[0]->number;
		struct range range = {.first = number, .count = 1};

		for (count = 1;
		     i + count < rules->count && call[count]->number == call[0]->number;)
			count++;
		if (call[0]->cond_count == 0)
			range.answer = answer_of(compiler, call[0]);
		else
			range = (struct range){.first = number, .rules = call, .count = count};
		add_range(ret, &range);
		add_range(ret,
			  &(struct range){.first = number + 1, .answer = compiler->otherwise});
	}
}

/* Keeps the order of one call's rules; numbers that this machine has not are negative. */
static void sort_rules(struct seccomp_rules *rules)
{
	size_t kept = 0;

	for (size_t i = 0; i < rules->count; i++) {
		const struct seccomp_rule *rule = rules->list[i];
		size_t at = kept;

		if (rule->number < 0)
			continue;
		for (; at > 0 && rules->list[at - 1]->number > rule->number; at--)
			rules->list[at] = rules->list[at - 1];
		rules->list[at] = rule;
		kept++;
	}
	rules->count = kept;
}

static void put_program(struct compiler *compiler)
{
	struct seccomp_lines *lines = &compiler->lines;
	size_t kill = seccomp_lines_answer(lines, SECCOMP_RET_KILL_PROCESS);
	size_t otherwise = seccomp_lines_answer(lines, compiler->otherwise);
	size_t known;

	find_ranges(compiler);
	known = put_ranges(compiler, compiler->ranges.list, compiler->ranges.count);
	/* -1 is no number of x32: a tracer's word for no call at all. */
	if (seccomp_arch_native() == SCMP_ARCH_X86_64)
		known = seccomp_lines_jump(
			lines, BPF_JGE, X32_FIRST,
			seccomp_lines_jump(lines, BPF_JEQ, UINT32_MAX, otherwise, kill), known);
	known = seccomp_lines_load(lines, offsetof(struct seccomp_data, nr), UINT32_MAX);
	(void)seccomp_lines_jump(lines, BPF_JEQ, seccomp_arch_native(), known, kill);
	(void)seccomp_lines_load(lines, offsetof(struct seccomp_data, arch), UINT32_MAX);
}

int seccomp_program_compile(enum seccomp_list list, enum seccomp_voice voice, int *ret_memfd,
			    struct err *err)
{
	return seccomp_program_compile_covered(list, 0, voice, ret_memfd, err);
}

int seccomp_program_compile_covered(enum seccomp_list list, uint32_t covers,
				    enum seccomp_voice voice, int *ret_memfd, struct err *err)
{
	struct compiler *compiler = calloc(1, sizeof(*compiler));
	const struct seccomp_lines *lines = &compiler->lines;
	int status;

	if (compiler == NULL)
		return err_errno(err, ENOMEM, "compile a seccomp list");
	compiler->voice = voice;
	compiler->otherwise = default_answer(list);
	seccomp_lines_init(&compiler->lines);
	seccomp_rules_covered(list, covers, &compiler->rules);
	sort_rules(&compiler->rules);
	put_program(compiler);
	if (lines->is_too_long)
		status = err_set(err, E2BIG, "a seccomp list is too long");
	else
		status =
			memfd_from("seccomp", &lines->lines[lines->first],
				   (SECCOMP_LINES_MAX - lines->first) * sizeof(lines->lines[0]),
				   ret_memfd, err);
	free(compiler);
	return status;
}
