#include "sandbox/runtimes/launch/answer.h"

/* As the head says it, possible or not; 0: the head is not there yet. */
static size_t said_length(const struct answer *answer)
{
	const unsigned char *head = (const unsigned char *)answer->bytes;

	if (answer->length < ANSWER_HEAD_BYTES)
		return 0;
	return (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 |
	       (size_t)head[3] << 24;
}

static bool is_possible(size_t length)
{
	return length > 0 && length <= LIMIT_REPORT_BYTES;
}

size_t answer_room(const struct answer *answer)
{
	return answer->is_over ? 0 : sizeof(answer->bytes) - answer->length;
}

void answer_took(struct answer *answer, size_t got)
{
	answer->length += got;
	if (got == 0 || answer->length == sizeof(answer->bytes))
		answer->is_over = true;
	if (answer->length >= ANSWER_HEAD_BYTES && !is_possible(said_length(answer)))
		answer->is_over = true;
	if (answer_status(answer) >= 0)
		answer->is_over = true;
}

const char *answer_report(const struct answer *answer, size_t *ret_length)
{
	size_t length = said_length(answer);

	if (!is_possible(length) || answer->length < ANSWER_HEAD_BYTES + length)
		return NULL;
	*ret_length = length;
	return answer->bytes + ANSWER_HEAD_BYTES;
}

int answer_status(const struct answer *answer)
{
	size_t length;
	const char *report = answer_report(answer, &length);

	if (report == NULL || answer->length == ANSWER_HEAD_BYTES + length)
		return -1;
	return (unsigned char)report[length];
}
