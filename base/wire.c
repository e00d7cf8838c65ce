#include "base/wire.h"

#include <string.h>

void wr_init(struct wr *wr, void *data, size_t capacity)
{
	*wr = (struct wr){.data = data, .capacity = capacity};
}

void wr_raw(struct wr *wr, const void *data, size_t length)
{
	if (wr->has_failed || length > wr->capacity - wr->length) {
		wr->has_failed = true;
		return;
	}
	if (length > 0)
		memcpy(wr->data + wr->length, data, length);
	wr->length += length;
}

void wr_uint(struct wr *wr, uint64_t value, unsigned bytes)
{
	uint8_t out[8];

	for (unsigned i = 0; i < bytes; i++)
		out[i] = (uint8_t)(value >> (8 * i));
	wr_raw(wr, out, bytes);
}

void wr_str(struct wr *wr, const char *text)
{
	size_t length = strlen(text);

	if (length > UINT16_MAX) {
		wr->has_failed = true;
		return;
	}
	wr_uint(wr, length, 2);
	wr_raw(wr, text, length);
}

void rd_init(struct rd *rd, const void *data, size_t length)
{
	*rd = (struct rd){.data = data, .length = length};
}

static void rd_fail(struct rd *rd, const char *field)
{
	if (rd->bad_field == NULL)
		rd->bad_field = field;
}

void rd_raw(struct rd *rd, const char *field, void *ret, size_t length)
{
	if (rd->bad_field != NULL || length > rd->length - rd->at) {
		rd_fail(rd, field);
		memset(ret, 0, length);
		return;
	}
	if (length > 0)
		memcpy(ret, rd->data + rd->at, length);
	rd->at += length;
}

static uint64_t rd_little_endian(struct rd *rd, const char *field, unsigned bytes)
{
	uint8_t in[8] = {0};
	uint64_t value = 0;

	rd_raw(rd, field, in, bytes);
	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)in[i] << (8 * i);
	return value;
}

uint64_t rd_uint(struct rd *rd, const char *field, unsigned bytes, uint64_t low, uint64_t high)
{
	uint64_t value = rd_little_endian(rd, field, bytes);

	if (rd->bad_field != NULL)
		return 0;
	if (value < low || value > high) {
		rd_fail(rd, field);
		return 0;
	}
	return value;
}

int64_t rd_int(struct rd *rd, const char *field, int64_t low, int64_t high)
{
	int64_t value = (int64_t)rd_little_endian(rd, field, 8);

	if (rd->bad_field != NULL)
		return 0;
	if (value < low || value > high) {
		rd_fail(rd, field);
		return 0;
	}
	return value;
}

void rd_str(struct rd *rd, const char *field, char *ret, size_t low, size_t high)
{
	size_t length = (size_t)rd_uint(rd, field, 2, low, high);

	if (rd->bad_field != NULL) {
		ret[0] = '\0';
		return;
	}
	rd_raw(rd, field, ret, length);
	ret[length] = '\0';
	if (rd->bad_field == NULL && memchr(ret, '\0', length) != NULL)
		rd_fail(rd, field);
}

int rd_done(const struct rd *rd, const char *message, struct err *err)
{
	if (rd->bad_field != NULL)
		return err_set(err, EBADMSG, "message %s: field %s is short or out of range",
			       message, rd->bad_field);
	if (rd->at != rd->length)
		return err_set(err, EBADMSG, "message %s: %zu bytes too many", message,
			       rd->length - rd->at);
	return 0;
}
