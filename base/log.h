/*
 * base/log.h - one event, one line, logfmt, on standard error.
 *
 *   ts=2026-01-02T03:04:05.678Z level=info proc=gate event=listening url=https://localhost:8443
 *
 * Only the *_main.c files and the process's own folder log; base, schema, validator libraries
 * and the layers return errors. Values are quoted and escaped, so untrusted text can neither
 * forge a line nor reach the terminal's escape sequences. A line is one write(2) and at most
 * LOG_LINE_MAX bytes; longer values are cut.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX 2048 /* bytes; under PIPE_BUF, so lines of several processes never mix */

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
	const char *key;
	const char *text; /* NULL: the number is the value */
	int64_t number;
};

/* Names this process in its lines; call once at the start. `name` must outlive the process. */
void log_init(const char *name, enum log_level lowest);

void log_write(enum log_level level, const char *event, const struct log_field *fields,
	       size_t count);

#define LOG_STR(name, value) ((struct log_field){(name), (value), 0})
#define LOG_INT(name, value) ((struct log_field){(name), NULL, (int64_t)(value)})

/* log_event(LOG_INFO, "ready", LOG_STR("url", url), LOG_INT("workers", n)); */
#define log_event(level, event, ...)                                         \
	log_write((level), (event), (const struct log_field[]){__VA_ARGS__}, \
		  sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

#endif
