#include "sandbox/layers/seccomp_lines.h"

/* A jump on a condition has eight bits for its distance, and the line that goes the rest of the
 * way for the other of its two targets may come between. */
#define REACH (UINT8_MAX - 1)

void seccomp_lines_init(struct seccomp_lines *ret)
{
	ret->first = SECCOMP_LINES_MAX;
	ret->answer_count = 0;
	ret->is_too_long = false;
}

static size_t put(struct seccomp_lines *lines, uint16_t code, uint32_t k)
{
	if (lines->first == 0) {
		lines->is_too_long = true;
		return 0;
	}
	lines->lines[--lines->first] = (struct sock_filter){.code = code, .k = k};
	return lines->first;
}

static bool reaches(const struct seccomp_lines *lines, size_t target)
{
	return target - lines->first <= REACH;
}

/* `target`, or a line on the way to it. */
static size_t stage(struct seccomp_lines *lines, size_t target)
{
	if (reaches(lines, target))
		return target;
	return put(lines, BPF_JMP | BPF_JA, (uint32_t)(target - lines->first));
}

size_t seccomp_lines_answer(struct seccomp_lines *lines, uint32_t answer)
{
	size_t i = 0;

	while (i < lines->answer_count && lines->answers[i].answer != answer)
		i++;
	if (i == lines->answer_count) {
		if (i == SECCOMP_ANSWERS_MAX) {
			lines->is_too_long = true;
			return lines->first;
		}
		lines->answers[lines->answer_count++].answer = answer;
	} else if (reaches(lines, lines->answers[i].at)) {
		return lines->answers[i].at;
	}
	lines->answers[i].at = put(lines, BPF_RET | BPF_K, answer);
	return lines->answers[i].at;
}

size_t seccomp_lines_jump(struct seccomp_lines *lines, uint16_t compare, uint32_t value,
			  size_t yes, size_t no)
{
	size_t near_yes = stage(lines, yes);
	size_t near_no = stage(lines, no);
	size_t next = lines->first;
	size_t at = put(lines, BPF_JMP | compare | BPF_K, value);

	lines->lines[at].jt = (uint8_t)(near_yes - next);
	lines->lines[at].jf = (uint8_t)(near_no - next);
	return at;
}

size_t seccomp_lines_load(struct seccomp_lines *lines, size_t offset, uint32_t mask)
{
	if (mask != UINT32_MAX)
		(void)put(lines, BPF_ALU | BPF_AND | BPF_K, mask);
	return put(lines, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}
