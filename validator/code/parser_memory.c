#include "validator/code/parser_memory.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tree_sitter/api.h>

/* Bytes of a piece, so that few are needed and what is kept fits the bound. */
#define PIECE_BYTES (128u << 10)

/* Sizes of blocks: multiples of GRAIN, above SMALL_MAX powers of two. A list for each. */
#define GRAIN	      16u
#define SMALL_MAX     1024u
#define SMALL_CLASSES (SMALL_MAX / GRAIN)
#define CLASSES	      (SMALL_CLASSES + 22)
#define BLOCK_MAX     ((size_t)SMALL_MAX << (CLASSES - SMALL_CLASSES))

struct piece {
	struct piece *next;
	size_t size;
	_Alignas(16) char data[];
};

/* Lies 8 bytes before a multiple of 16, so that what is handed out is aligned as malloc()'s. */
struct block {
	size_t class;
	struct block *next; /* of those that are free; else the content begins here */
};

#define HEAD_BYTES offsetof(struct block, next)

static struct {
	struct piece *first, *current;
	char *at, *end; /* what is left of `current` */
	struct block *free[CLASSES];
} memory;

static _Noreturn void give_up(size_t bytes)
{
	(void)fprintf(stderr, "tree-sitter: no memory for %zu bytes\n", bytes);
	abort();
}

static size_t class_of(size_t bytes)
{
	if (bytes <= SMALL_MAX)
		return (bytes + GRAIN - 1) / GRAIN - 1;
	return SMALL_CLASSES + (size_t)(__builtin_clzl(SMALL_MAX) - __builtin_clzl(bytes - 1));
}

static size_t class_bytes(size_t class)
{
	if (class < SMALL_CLASSES)
		return (class + 1) * GRAIN;
	return (size_t)SMALL_MAX * 2 << (class - SMALL_CLASSES);
}

static void enter(struct piece *piece)
{
	memory.current = piece;
	memory.at = piece->data + GRAIN - HEAD_BYTES;
	memory.end = piece->data + piece->size;
}

/* What is left of the piece before is lost until the end of the parse. */
static void next_piece(size_t bytes)
{
	struct piece **link = memory.current == NULL ? &memory.first : &memory.current->next;
	size_t size = bytes + GRAIN > PIECE_BYTES ? bytes + GRAIN : PIECE_BYTES;
	struct piece *piece = *link;

	if (piece == NULL || piece->size < size) {
		piece = malloc(sizeof(*piece) + size);
		if (piece == NULL)
			give_up(bytes);
		piece->size = size;
		piece->next = *link;
		*link = piece;
	}
	enter(piece);
}

void *parser_memory_malloc(size_t bytes)
{
	struct block *block;
	size_t class;

	if (bytes > BLOCK_MAX - HEAD_BYTES)
		give_up(bytes);
	class = class_of(bytes + HEAD_BYTES);
	block = memory.free[class];
	if (block != NULL) {
		memory.free[class] = block->next;
		return (char *)block + HEAD_BYTES;
	}
	bytes = class_bytes(class);
	if ((size_t)(memory.end - memory.at) < bytes)
		next_piece(bytes);
	block = (struct block *)memory.at;
	memory.at += bytes;
	block->class = class;
	return (char *)block + HEAD_BYTES;
}

static struct block *block_of(void *data)
{
	return (struct block *)((char *)data - HEAD_BYTES);
}

void parser_memory_free(void *data)
{
	struct block *block;

	if (data == NULL)
		return;
	block = block_of(data);
	block->next = memory.free[block->class];
	memory.free[block->class] = block;
}

void *parser_memory_calloc(size_t count, size_t size)
{
	size_t bytes;
	void *data;

	if (__builtin_mul_overflow(count, size, &bytes))
		give_up(SIZE_MAX);
	data = parser_memory_malloc(bytes);
	return memset(data, 0, bytes);
}

void *parser_memory_realloc(void *data, size_t bytes)
{
	size_t holds = data != NULL ? class_bytes(block_of(data)->class) - HEAD_BYTES : 0;
	void *larger;

	if (data != NULL && bytes <= holds)
		return data;
	larger = parser_memory_malloc(bytes);
	if (data != NULL)
		memcpy(larger, data, holds);
	parser_memory_free(data);
	return larger;
}

void parser_memory_begin(void)
{
	if (!PARSER_MEMORY_IS_MALLOC)
		ts_set_allocator(parser_memory_malloc, parser_memory_calloc,
				 parser_memory_realloc, parser_memory_free);
}

/* Keeps the pieces in front as far as the bound allows. */
static void drop_pieces(void)
{
	struct piece **link = &memory.first;
	size_t kept = 0;

	while (*link != NULL) {
		struct piece *piece = *link;

		if (kept + piece->size <= PARSER_MEMORY_KEPT) {
			kept += piece->size;
			link = &piece->next;
		} else {
			*link = piece->next;
			free(piece);
		}
	}
}

void parser_memory_end(void)
{
	if (PARSER_MEMORY_IS_MALLOC)
		return;
	ts_set_allocator(NULL, NULL, NULL, NULL);
	drop_pieces();
	memset(memory.free, 0, sizeof(memory.free));
	memory.current = NULL;
	memory.at = memory.end = NULL;
}
