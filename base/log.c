#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *log_name = "casemate";
static enum log_level log_lowest = LOG_INFO;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

struct line {
	char text[LOG_LINE_MAX];
	size_t length;
};

void log_init(const char *name, enum log_level lowest)
{
	log_name = name;
	log_lowest = lowest;
}

/* One byte is always kept for the newline. */
static void put(struct line *line, const char *text, size_t length)
{
	size_t room = sizeof(line->text) - 1 - line->length;

	if (length > room)
		length = room;
	memcpy(line->text + line->length, text, length);
	line->length += length;
}

static void put_str(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

static void put_value(struct line *line, const char *text)
{
	char escaped[8];

	if (text[0] != '\0' &&
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789-_.:/@+,") == strlen(text)) {
		put_str(line, text);
		return;
	}
	put_str(line, "\"");
	for (const char *at = text; *at != '\0'; at++) {
		unsigned char c = (unsigned char)*at;

		if (c == '"' || c == '\\')
			(void)snprintf(escaped, sizeof(escaped), "\\%c", c);
		else if (c < 0x20 || c >= 0x7F)
			(void)snprintf(escaped, sizeof(escaped), "\\x%02x", c);
		else
			(void)snprintf(escaped, sizeof(escaped), "%c", c);
		put_str(line, escaped);
	}
	put_str(line, "\"");
}

static void put_time(struct line *line)
{
	struct timespec now;
	struct tm utc;
	char text[48];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &utc);
	(void)snprintf(text, sizeof(text), "ts=%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ",
		       utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
		       utc.tm_sec, now.tv_nsec / 1000000);
	put_str(line, text);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields,
	       size_t count)
{
	struct line line = {.length = 0};
	char number[32];

	if (level < log_lowest)
		return;
	put_time(&line);
	put_str(&line, " level=");
	put_str(&line, level_names[level]);
	put_str(&line, " proc=");
	put_str(&line, log_name);
	put_str(&line, " event=");
	put_str(&line, event);
	for (size_t i = 0; i < count; i++) {
		put_str(&line, " ");
		put_str(&line, fields[i].key);
		put_str(&line, "=");
		if (fields[i].text != NULL) {
			put_value(&line, fields[i].text);
			continue;
		}
		(void)snprintf(number, sizeof(number), "%" PRId64, fields[i].number);
		put_str(&line, number);
	}
	line.text[line.length++] = '\n';
	if (write(STDERR_FILENO, line.text, line.length) < 0)
		return; /* nowhere left to say it */
}
