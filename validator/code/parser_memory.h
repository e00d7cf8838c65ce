/*
 * validator/code/parser_memory.h - what tree-sitter allocates for one parse.
 *
 * A parse allocates and frees some thousand small blocks of a few sizes. Here they are cut from
 * large pieces, freed into a list by size, and given up together at the end: a tree is not
 * taken apart node by node. Measured by `make bench-code`.
 *
 * tree-sitter has one allocator for a process, so one parse at a time, in one thread. What was
 * allocated outside must not be freed inside, and the other way round.
 *
 * With the address sanitizer each block is one of malloc(): out of a piece it could not tell a
 * block that was freed.
 */
#ifndef VALIDATOR_CODE_PARSER_MEMORY_H
#define VALIDATOR_CODE_PARSER_MEMORY_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define PARSER_MEMORY_IS_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PARSER_MEMORY_IS_MALLOC 1
#endif
#endif
#ifndef PARSER_MEMORY_IS_MALLOC
#define PARSER_MEMORY_IS_MALLOC 0
#endif

/* Kept from parse to parse, bytes: a program of some hundred lines fits, and a validator that
 * has seen a large one does not stay large. */
#define PARSER_MEMORY_KEPT (1u << 20)

/* As their namesakes; of blocks that are in use at once. */
void *parser_memory_malloc(size_t bytes);
void *parser_memory_calloc(size_t count, size_t size);
void *parser_memory_realloc(void *data, size_t bytes);
void parser_memory_free(void *data);

/* From here on tree-sitter allocates here. Without memory it ends the process, as it does by
 * itself. */
void parser_memory_begin(void);

/* Everything that it allocated since is gone; it allocates by malloc() again. */
void parser_memory_end(void);

#endif
