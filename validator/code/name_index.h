/*
 * validator/code/name_index.h - which #name? predicates ask for a name.
 *
 * A name is looked up once, by its parts, and not compared with every pattern of every rule at
 * every place where it stands. What a pattern means is name_pattern.c's; a unit test holds the
 * two together.
 */
#ifndef VALIDATOR_CODE_NAME_INDEX_H
#define VALIDATOR_CODE_NAME_INDEX_H

#include "validator/code/code.h"

struct name_index;

/* Number of a new asker, from 0; makes the index on first use. -ENOMEM. */
nodiscard int name_index_ask(struct name_index **index, uint32_t *ret_asker, struct err *err);

/* `asker` asks for what matches `pattern`, which is borrowed. -EINVAL: it is too wide; -ENOMEM.
 */
nodiscard int name_index_add(struct name_index *index, uint32_t asker, const char *pattern,
			     struct err *err);
void name_index_free(struct name_index *index);

/* A set of askers: NULL at first, grown as they are added, freed by the owner. -ENOMEM. */
nodiscard int name_askers_add(uint64_t **askers, uint32_t *words, uint32_t asker,
			      struct err *err);

/* Does any of these ask for the name? */
bool name_index_any(const struct name_index *index, struct code *code, uint32_t id,
		    const uint64_t *askers, uint32_t words);

/* Does `asker` ask for the interned name `id`? False also when the source's time is over. */
bool name_index_asks(const struct name_index *index, struct code *code, uint32_t id,
		     uint32_t asker);

#endif
