/*
 * base/err.h - one error convention for the whole house.
 *
 * A function that can fail returns `int`: 0, or a negative errno value, and takes a
 * caller-owned `struct err *` as its last parameter. The text is set if and only if the
 * return value is negative. Nothing is allocated on a failing path; `err` may be NULL.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/own.h"

/* Longest message kept, bytes with the final NUL: one log line. Longer ones are cut. */
#define ERR_TEXT_MAX 320

struct err {
	int code; /* positive errno value */
	char text[ERR_TEXT_MAX];
};

/* Records `code` (positive errno) and the message; returns -code, so `return err_set(...)`. */
nodiscard int err_set(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with ": strerror(code)" appended. */
nodiscard int err_errno(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "context: " before the message already set; returns -err->code. */
nodiscard int err_prefix(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Drops a result on purpose; `why` is for the reader. */
#define err_ignore(call, why)                                \
	do {                                                 \
		__extension__ __auto_type ignored_ = (call); \
		(void)ignored_;                              \
		(void)(why);                                 \
	} while (0)

#endif
