#include "tests/unit/layers/bpf.h"

#include <linux/filter.h>
#include <string.h>

static int compare(const struct sock_filter *line, uint32_t a)
{
	switch (BPF_OP(line->code)) {
	case BPF_JEQ:
		return a == line->k;
	case BPF_JGT:
		return a > line->k;
	case BPF_JGE:
		return a >= line->k;
	default:
		return (a & line->k) != 0;
	}
}

uint32_t bpf_run(const void *code, size_t bytes, const struct seccomp_data *call)
{
	const struct sock_filter *lines = code;
	size_t count = bytes / sizeof(*lines);
	uint32_t a = 0;

	for (size_t at = 0; at < count; at++) {
		const struct sock_filter *line = &lines[at];

		if (line->code == (BPF_LD | BPF_W | BPF_ABS) && line->k <= sizeof(*call) - 4)
			memcpy(&a, (const char *)call + line->k, sizeof(a));
		else if (line->code == (BPF_ALU | BPF_AND | BPF_K))
			a &= line->k;
		else if (line->code == (BPF_JMP | BPF_JA))
			at += line->k;
		else if (BPF_CLASS(line->code) == BPF_JMP)
			at += compare(line, a) ? line->jt : line->jf;
		else if (line->code == (BPF_RET | BPF_K))
			return line->k;
		else
			return 0xdead0000u | (uint32_t)at;
	}
	return 0xdeadffffu;
}
