/*
 * base/wire_gen.h - turns a field list into a struct, an encoder and a decoder.
 *
 *   #define JOB_CANCEL_FIELDS(F) \
 *           F(U8, reason, 1, 3)  \
 *           F(STR, note, 0, 64)
 *   WIRE_DECLARE(job_cancel, JOB_CANCEL_FIELDS)    in the header
 *   WIRE_DEFINE(job_cancel, JOB_CANCEL_FIELDS)     in one .c file
 *
 * Kinds: U8 U16 U32 U64 (low, high: allowed range), I64 (range), STR (low, high: bytes),
 * BYTES (high: exact size; low is not used), U64S (high: how many; low is not used). WIRE_EMPTY is the list of a message without
 * fields.
 *
 * Generated:  struct job_cancel;
 *             void job_cancel_encode(struct wr *wr, const struct job_cancel *message);
 *             int job_cancel_decode(const void *body, size_t length,
 *                                   struct job_cancel *ret, struct err *err);
 */
#ifndef BASE_WIRE_GEN_H
#define BASE_WIRE_GEN_H

#include "base/wire.h"

#define WIRE_MEMBER_U8(name, low, high)	   uint8_t name;
#define WIRE_MEMBER_U16(name, low, high)   uint16_t name;
#define WIRE_MEMBER_U32(name, low, high)   uint32_t name;
#define WIRE_MEMBER_U64(name, low, high)   uint64_t name;
#define WIRE_MEMBER_I64(name, low, high)   int64_t name;
#define WIRE_MEMBER_STR(name, low, high)   char name[(high) + 1];
#define WIRE_MEMBER_BYTES(name, low, high) uint8_t name[high];
#define WIRE_MEMBER_U64S(name, low, high)  uint64_t name[high];
#define WIRE_MEMBER(kind, name, low, high) WIRE_MEMBER_##kind(name, low, high)

#define WIRE_PUT_U8(name, low, high)	wr_uint(wr, message->name, 1);
#define WIRE_PUT_U16(name, low, high)	wr_uint(wr, message->name, 2);
#define WIRE_PUT_U32(name, low, high)	wr_uint(wr, message->name, 4);
#define WIRE_PUT_U64(name, low, high)	wr_uint(wr, message->name, 8);
#define WIRE_PUT_I64(name, low, high)	wr_uint(wr, (uint64_t)message->name, 8);
#define WIRE_PUT_STR(name, low, high)	wr_str(wr, message->name);
#define WIRE_PUT_BYTES(name, low, high) wr_raw(wr, message->name, high);
#define WIRE_PUT_U64S(name, low, high)                                                             \
	for (size_t i_ = 0; i_ < (high); i_++)                                                     \
		wr_uint(wr, message->name[i_], 8);
#define WIRE_PUT(kind, name, low, high) WIRE_PUT_##kind(name, low, high)

#define WIRE_GET_U8(name, low, high)	message.name = (uint8_t)rd_uint(&rd, #name, 1, low, high);
#define WIRE_GET_U16(name, low, high)	message.name = (uint16_t)rd_uint(&rd, #name, 2, low, high);
#define WIRE_GET_U32(name, low, high)	message.name = (uint32_t)rd_uint(&rd, #name, 4, low, high);
#define WIRE_GET_U64(name, low, high)	message.name = rd_uint(&rd, #name, 8, low, high);
#define WIRE_GET_I64(name, low, high)	message.name = rd_int(&rd, #name, low, high);
#define WIRE_GET_STR(name, low, high)	rd_str(&rd, #name, message.name, low, high);
#define WIRE_GET_BYTES(name, low, high) rd_raw(&rd, #name, message.name, high);
#define WIRE_GET_U64S(name, low, high)                                                             \
	for (size_t i_ = 0; i_ < (high); i_++)                                                     \
		message.name[i_] = rd_uint(&rd, #name, 8, 0, UINT64_MAX);
#define WIRE_GET(kind, name, low, high) WIRE_GET_##kind(name, low, high)

/* C wants at least one member; a message without fields carries one byte that must be 0. */
#define WIRE_EMPTY(F) F(U8, empty, 0, 0)

#define WIRE_DECLARE(type, FIELDS)                                                                 \
	struct type {                                                                              \
		FIELDS(WIRE_MEMBER)                                                                \
	};                                                                                         \
	void type##_encode(struct wr *wr, const struct type *message);                             \
	nodiscard int type##_decode(const void *body, size_t length, struct type *ret,             \
				    struct err *err);

#define WIRE_DEFINE(type, FIELDS)                                                                  \
	void type##_encode(struct wr *wr, const struct type *message)                              \
	{                                                                                          \
		FIELDS(WIRE_PUT)                                                                   \
	}                                                                                          \
	int type##_decode(const void *body, size_t length, struct type *ret, struct err *err)      \
	{                                                                                          \
		struct type message = {0};                                                         \
		struct rd rd;                                                                      \
		int status;                                                                        \
                                                                                                   \
		rd_init(&rd, body, length);                                                        \
		FIELDS(WIRE_GET)                                                                   \
		status = rd_done(&rd, #type, err);                                                 \
		if (status == 0)                                                                   \
			*ret = message;                                                            \
		return status;                                                                     \
	}

#endif
