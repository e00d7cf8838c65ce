#include "validator/report.h"

#include <string.h>

#include "schema/limits.h"
#include "validator/json_guard.h"
#include "validator/schema_faults.h"

int report_parse(const struct schema *schema, const char *text, size_t length,
		 struct report *ret, struct faults *faults)
{
	const unsigned bytes_max = LIMIT_REPORT_BYTES;
	own_json *document = NULL;
	const json_t *error;
	int status;

	faults_init(faults);
	*ret = (struct report){0};
	if (length == 0)
		return 0;
	if (length > bytes_max) {
		(void)faults_add(faults, NULL, "bytes", "has %zu bytes, at most %u are allowed",
				 length, bytes_max);
		return -EBADMSG;
	}
	status = json_guard_parse(text, length, &document, faults);
	if (status < 0)
		return status;
	if (!schema_check(schema, document, faults))
		return -EBADMSG;
	error = json_object_get(document, "error");
	ret->name = json_string_value(json_object_get(error, "name"));
	ret->message = json_string_value(json_object_get(error, "message"));
	ret->traceback = json_string_value(json_object_get(error, "traceback"));
	ret->result = json_string_value(json_object_get(document, "result"));
	ret->denials = json_object_get(document, "denials");
	ret->denials_dropped =
		(uint64_t)json_number_value(json_object_get(document, "denials_dropped"));
	ret->document = mem_take(&document);
	return 0;
}

void report_done(struct report *report)
{
	json_decref(report->document);
	*report = (struct report){0};
}

size_t report_cut(const char *text, size_t most)
{
	size_t at = 0;

	while (text[at] != '\0') {
		if (((unsigned char)text[at] & 0xC0) != 0x80 && most-- == 0)
			break;
		at++;
	}
	return at;
}
