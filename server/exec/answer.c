#include "server/exec/answer.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "base/own.h"

static const char *text_of(const json_t *document, const char *name)
{
	const char *text = json_string_value(json_object_get(document, name));

	return text == NULL ? "" : text;
}

static int base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

/* Decodes while it prints; the service's own encoder made the text. */
static void print_base64(const char *text, FILE *out)
{
	uint32_t bits = 0;
	unsigned count = 0;

	for (; base64_digit(*text) >= 0; text++) {
		bits = bits << 6 | (uint32_t)base64_digit(*text);
		count += 6;
		if (count >= 8) {
			count -= 8;
			(void)putc((int)(bits >> count & 0xFF), out);
		}
	}
}

void answer_write_text(const json_t *value, const char *encoding, FILE *out)
{
	if (encoding != NULL && strcmp(encoding, "base64") == 0)
		print_base64(json_string_value(value), out);
	else
		(void)fwrite(json_string_value(value), 1, json_string_length(value), out);
}

static void print_stream(const json_t *document, const char *name, FILE *out)
{
	char member[32];
	const json_t *value = json_object_get(document, name);

	(void)snprintf(member, sizeof(member), "%s_encoding", name);
	if (!json_is_string(value))
		return;
	answer_write_text(value, text_of(document, member), out);
}

int answer_exit_code(const json_t *document)
{
	static const struct {
		const char *status;
		int exit_code;
	} ends[] = {
		{"timed_out", EXIT_TIMED_OUT},
		{"memory_exceeded", EXIT_SIGNAL + SIGKILL},
		{"output_exceeded", EXIT_SIGNAL + SIGPIPE},
		{"rejected", EXIT_REJECTED},
		{"cancelled", EXIT_SERVICE},
		{"internal_error", EXIT_SERVICE},
	};
	const json_t *signal = json_object_get(document, "signal");
	const json_t *exit_code = json_object_get(document, "exit_code");

	for (size_t i = 0; i < ARRAY_COUNT(ends); i++)
		if (strcmp(text_of(document, "status"), ends[i].status) == 0)
			return ends[i].exit_code;
	if (json_is_integer(signal))
		return EXIT_SIGNAL + (int)json_integer_value(signal);
	if (json_is_integer(exit_code))
		return (int)json_integer_value(exit_code);
	return EXIT_SERVICE;
}

/* What the code tried and may not do, one line each, so that whoever reads an unexpected
 * "Operation not permitted" above knows why. */
static void print_events(const json_t *document)
{
	size_t index;
	json_t *event;

	json_array_foreach(json_object_get(document, "events"), index, event)
	{
		if (strcmp(text_of(event, "severity"), "info") == 0)
			continue;
		(void)fprintf(stderr, "casemate exec: %s (%s): %s", text_of(event, "kind"),
			      text_of(event, "severity"), text_of(event, "detail"));
		if (json_integer_value(json_object_get(event, "count")) > 1)
			(void)fprintf(
				stderr, ", %lld times",
				(long long)json_integer_value(json_object_get(event, "count")));
		(void)fprintf(stderr, "\n  hint: %s\n", text_of(event, "hint"));
	}
}

/* Why the code was refused, as a compiler says it. What does not refuse it is for --json. */
static void print_rejecting(const json_t *document)
{
	size_t index;
	json_t *finding;

	json_array_foreach(json_object_get(document, "findings"), index, finding)
	{
		if (!json_is_true(json_object_get(finding, "rejects")))
			continue;
		(void)fprintf(stderr, "line %lld, column %lld: %s: %s [%s, %s]\n",
			      (long long)json_integer_value(json_object_get(finding, "line")),
			      (long long)json_integer_value(json_object_get(finding, "column")),
			      text_of(finding, "severity"), text_of(finding, "message"),
			      text_of(finding, "rule"), text_of(finding, "cwe"));
		(void)fprintf(stderr, "  %s\n", text_of(finding, "source"));
		if (*text_of(finding, "hint") != '\0')
			(void)fprintf(stderr, "  hint: %s\n", text_of(finding, "hint"));
	}
}

int answer_print(const json_t *document)
{
	const char *status = text_of(document, "status");

	print_stream(document, "stdout", stdout);
	(void)fflush(stdout);
	print_stream(document, "stderr", stderr);
	print_events(document);
	if (strcmp(status, "rejected") == 0)
		print_rejecting(document);
	if (strcmp(status, "succeeded") != 0 && strcmp(status, "failed") != 0)
		(void)fprintf(stderr, "casemate exec: %s (execution %s)\n", status,
			      text_of(document, "id"));
	return answer_exit_code(document);
}

static void print_fault(const json_t *fault)
{
	(void)fprintf(stderr, "  %s: %s", text_of(fault, "pointer"), text_of(fault, "detail"));
	if (*text_of(fault, "hint") != '\0')
		(void)fprintf(stderr, " (%s)", text_of(fault, "hint"));
	(void)putc('\n', stderr);
}

int answer_print_problem(const json_t *document, long status)
{
	size_t index;
	json_t *fault;

	if (!json_is_object(document)) {
		(void)fprintf(stderr, "casemate exec: HTTP %ld without a document\n", status);
		return EXIT_SERVICE;
	}
	(void)fprintf(stderr, "casemate exec: %s (HTTP %ld %s)\n", text_of(document, "title"),
		      status, text_of(document, "code"));
	if (*text_of(document, "detail") != '\0')
		(void)fprintf(stderr, "  %s\n", text_of(document, "detail"));
	json_array_foreach(json_object_get(document, "errors"), index, fault)
		print_fault(fault);
	if (*text_of(document, "hint") != '\0')
		(void)fprintf(stderr, "  hint: %s\n", text_of(document, "hint"));
	return EXIT_SERVICE;
}
