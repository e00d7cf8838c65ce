#include "schema/bundle.h"

#include "base/wire.h"

void bundle_add_header(struct buf *buf, enum bundle_kind kind, size_t name_length,
		       size_t length)
{
	uint8_t header[BUNDLE_HEADER_BYTES];
	struct wr wr;

	if (name_length > UINT16_MAX) {
		buf->has_failed = true;
		return;
	}
	wr_init(&wr, header, sizeof(header));
	wr_uint(&wr, kind, 2);
	wr_uint(&wr, name_length, 2);
	wr_uint(&wr, 0, 4);
	wr_uint(&wr, length, 8);
	buf_add(buf, header, sizeof(header));
}

void bundle_add(struct buf *buf, enum bundle_kind kind, const void *name, size_t name_length,
		const void *data, size_t length)
{
	bundle_add_header(buf, kind, name_length, length);
	buf_add(buf, name, name_length);
	buf_add(buf, data, length);
}

bool bundle_is_payload(uint16_t kind)
{
	return (kind >= BUNDLE_CODE && kind <= BUNDLE_FILE) || kind == BUNDLE_GUARD;
}

void bundle_reader_init(struct bundle_reader *reader, const struct span *span)
{
	*reader = (struct bundle_reader){.data = span->data, .length = span->length};
}

int bundle_next(struct bundle_reader *reader, struct bundle_entry *ret, struct err *err)
{
	size_t left = reader->length - reader->at;
	struct bundle_entry entry;
	struct rd rd;
	uint64_t length;

	if (left == 0)
		return 0;
	rd_init(&rd, reader->data + reader->at,
		left < BUNDLE_HEADER_BYTES ? left : BUNDLE_HEADER_BYTES);
	entry.kind = (uint16_t)rd_uint(&rd, "kind", 2, BUNDLE_CODE, BUNDLE_KIND_MAX);
	entry.name_length = (size_t)rd_uint(&rd, "name", 2, 0, UINT16_MAX);
	(void)rd_uint(&rd, "zero", 4, 0, 0);
	length = rd_uint(&rd, "data", 8, 0, SIZE_MAX);
	if (rd_done(&rd, "bundle entry", err) != 0)
		return -EBADMSG;
	left -= BUNDLE_HEADER_BYTES;
	if (entry.name_length > left || length > left - entry.name_length)
		return err_set(err, EBADMSG, "bundle entry is longer than the bundle");
	entry.length = (size_t)length;
	entry.name = reader->data + reader->at + BUNDLE_HEADER_BYTES;
	entry.data = entry.name + entry.name_length;
	reader->at += BUNDLE_HEADER_BYTES + entry.name_length + entry.length;
	*ret = entry;
	return 1;
}
