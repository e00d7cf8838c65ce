/* The parser's memory: blocks as malloc()'s, and what a parse leaves. */
#include <criterion/criterion.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "validator/code/code.h"
#include "validator/code/parser_memory.h"

#define BLOCKS 500
#define TURNS  5000

TestSuite(parser_memory, .timeout = 60);

struct held {
	unsigned char *data;
	size_t bytes;
	unsigned char mark;
};

/* Small ones mostly, as of a parser; now and then one that needs a piece of its own. */
static size_t some_bytes(void)
{
	long what = random() % 100;

	return (size_t)(random() % (what < 90 ? 300 : what < 99 ? 5000 : 400000));
}

static void expect_whole(const struct held *held)
{
	for (size_t i = 0; i < held->bytes; i++)
		cr_assert(held->data[i] == held->mark, "byte %zu of %zu is another's", i,
			  held->bytes);
}

static void expect_aligned(const void *data)
{
	cr_assert((uintptr_t)data % _Alignof(max_align_t) == 0, "%p", data);
}

static void take_again(struct held *held)
{
	size_t before = held->bytes;

	if (held->data == NULL || random() % 2 == 0) {
		parser_memory_free(held->data);
		held->bytes = some_bytes();
		held->data = random() % 2 == 0 ? parser_memory_malloc(held->bytes)
					       : parser_memory_calloc(1, held->bytes);
	} else {
		held->bytes = some_bytes();
		held->data = parser_memory_realloc(held->data, held->bytes);
		for (size_t i = 0; i < before && i < held->bytes; i++)
			cr_assert(held->data[i] == held->mark);
	}
	expect_aligned(held->data);
	held->mark = (unsigned char)random();
	memset(held->data, held->mark, held->bytes);
}

static void one_parse(void)
{
	static struct held held[BLOCKS];

	memset(held, 0, sizeof(held));
	parser_memory_begin();
	for (size_t i = 0; i < TURNS; i++) {
		struct held *one = &held[random() % BLOCKS];

		expect_whole(one);
		take_again(one);
	}
	for (size_t i = 0; i < BLOCKS; i++)
		expect_whole(&held[i]);
	parser_memory_end();
}

/* Of what one parse leaves, the next has pieces that are too small for its large blocks. */
Test(parser_memory, no_block_is_part_of_another)
{
	srandom(1);
	for (size_t i = 0; i < 5; i++)
		one_parse();
}

Test(parser_memory, each_size_is_whole)
{
	static struct held held[5000];

	parser_memory_begin();
	for (size_t i = 0; i < ARRAY_COUNT(held); i++) {
		held[i] = (struct held){parser_memory_malloc(i), i, (unsigned char)(i * 7)};
		expect_aligned(held[i].data);
		memset(held[i].data, held[i].mark, i);
	}
	for (size_t i = 0; i < ARRAY_COUNT(held); i++)
		expect_whole(&held[i]);
	parser_memory_end();
}

Test(parser_memory, a_block_that_was_used_is_zeroed)
{
	for (size_t bytes = 1; bytes < 100000; bytes *= 3) {
		unsigned char *data;

		parser_memory_begin();
		data = parser_memory_malloc(bytes);
		memset(data, 0xff, bytes);
		parser_memory_free(data);
		data = parser_memory_calloc(bytes, 1);
		for (size_t i = 0; i < bytes; i++)
			cr_assert(data[i] == 0);
		parser_memory_end();
	}
}

static size_t used_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void parse(const char *text, size_t length)
{
	struct code code;
	struct err err = {0};

	cr_assert(code_open(&code, CODE_PYTHON, text, length, UINT32_MAX, &err) == 0);
	cr_assert(code.limit == CODE_WHOLE && code.count > 0);
	code_close(&code);
}

/* A validator lives for thousands of programs. */
Test(parser_memory, a_large_program_leaves_what_is_kept)
{
	static const char line[] = "x = f(a, b[1], c.d) + 1\n";
	struct buf text;
	size_t before;

	buf_init(&text, 1u << 20);
	for (size_t i = 0; i < 3000; i++)
		buf_add(&text, line, sizeof(line) - 1);
	parse("1", 1);
	before = used_bytes();
	for (size_t i = 0; i < 20; i++)
		parse(text.data, text.length);
	cr_expect(used_bytes() < before + PARSER_MEMORY_KEPT + 65536, "%zu after %zu",
		  used_bytes(), before);
	buf_done(&text);
}
