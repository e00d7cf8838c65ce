#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* vsnprintf's result is the length wanted, not written: clamp before it is used as an offset.
 */
static size_t text_length(int wanted)
{
	if (wanted < 0)
		return 0;
	return (size_t)wanted < ERR_TEXT_MAX ? (size_t)wanted : ERR_TEXT_MAX - 1;
}

int err_set(struct err *err, int code, const char *format, ...)
{
	va_list args;

	if (err != NULL) {
		err->code = code;
		va_start(args, format);
		(void)vsnprintf(err->text, sizeof(err->text), format, args);
		va_end(args);
	}
	return -code;
}

int err_errno(struct err *err, int code, const char *format, ...)
{
	va_list args;
	size_t length;

	if (err != NULL) {
		err->code = code;
		va_start(args, format);
		length = text_length(vsnprintf(err->text, sizeof(err->text), format, args));
		va_end(args);
		(void)snprintf(err->text + length, sizeof(err->text) - length, ": %s",
			       strerror(code));
	}
	return -code;
}

int err_prefix(struct err *err, const char *format, ...)
{
	char old[ERR_TEXT_MAX];
	va_list args;
	size_t length;

	if (err == NULL)
		return -EINVAL;
	memcpy(old, err->text, sizeof(old));
	va_start(args, format);
	length = text_length(vsnprintf(err->text, sizeof(err->text), format, args));
	va_end(args);
	(void)snprintf(err->text + length, sizeof(err->text) - length, ": %.*s",
		       (int)(sizeof(old) - 1), old);
	return -err->code;
}
