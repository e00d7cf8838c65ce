#include "server/ledger/record.h"

#include <string.h>

#include "base/wire.h"

#define MAGIC	    "casemate-record1"
#define MAGIC_BYTES 16

static const char *const kind_names[] = {
#define X(symbol, name, meaning) [RECORD_##symbol] = (name),
	RECORD_LIST(X)
#undef X
};

const char *record_kind_name(enum record_kind kind)
{
	return kind_names[kind];
}

static void put_text(struct buf *buf, const void *data, size_t length)
{
	uint8_t prefix[4];
	struct wr wr;

	wr_init(&wr, prefix, sizeof(prefix));
	wr_uint(&wr, length, 4);
	buf_add(buf, prefix, sizeof(prefix));
	buf_add(buf, data, length);
}

/* A checker may meet texts of any length in a database that was tampered with. */
static void texts_encode(const struct record *record, struct buf *ret)
{
	const char *const texts[] = {record->kind, record->execution_id, record->tenant,
				     record->principal};

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		put_text(ret, texts[i], strlen(texts[i]));
}

void record_hash(const struct record *record, const uint8_t previous[DIGEST_BYTES],
		 uint8_t ret[DIGEST_BYTES])
{
	uint8_t fixed[MAGIC_BYTES + DIGEST_BYTES + 16];
	uint8_t body_length[4];
	struct wr wr;
	own_buf texts;

	wr_init(&wr, fixed, sizeof(fixed));
	wr_raw(&wr, MAGIC, MAGIC_BYTES);
	wr_raw(&wr, previous, DIGEST_BYTES);
	wr_uint(&wr, record->index, 8);
	wr_uint(&wr, record->time_ms, 8);
	buf_init(&texts, SIZE_MAX / 2);
	texts_encode(record, &texts);
	wr_init(&wr, body_length, sizeof(body_length));
	wr_uint(&wr, record->body_length, 4);

	const struct span parts[] = {
		{.data = (const char *)fixed, .length = sizeof(fixed)},
		{.data = texts.data, .length = texts.length},
		{.data = (const char *)body_length, .length = sizeof(body_length)},
		{.data = record->body, .length = record->body_length},
	};

	if (texts.has_failed)
		abort(); /* out of memory: no record without its true hash */
	digest_parts(parts, ARRAY_COUNT(parts), ret);
}
