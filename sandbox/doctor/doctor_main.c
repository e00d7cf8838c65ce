/*
 * sandbox/doctor/doctor_main.c - casemate-doctor: says what this kernel can do for the service
 * when it runs as the user who asks, and what to do about what is missing.
 *
 * Reads no input but /proc and /sys. Exit: 0 when everything required is usable, 1 when not, 2
 * for a wrong option.
 */
#include "base/jsonw.h"
#include "sandbox/doctor/doctor.h"

#define REPORT_BYTES_MAX (256 * 1024)

static const char *const answer_names[] = {"usable", "limited", "missing"};

struct report {
	struct jsonw *json; /* NULL: the table for people */
	struct buf *out;
	unsigned missing; /* required and not usable */
};

static void add_row(struct report *report, const struct question *question,
		    const struct finding *finding)
{
	buf_printf(report->out, "%-38s %-8s %-9s %s\n", question->name,
		   answer_names[finding->answer],
		   question->is_required ? "required" : "optional", finding->detail);
	if (finding->answer != ANSWER_USABLE)
		buf_printf(report->out, "  -> %s\n", question->remedy);
}

static void add_object(struct report *report, const struct question *question,
		       const struct finding *finding)
{
	struct jsonw *json = report->json;

	jsonw_object_open(json);
	jsonw_key_str(json, "name", question->name);
	jsonw_key_str(json, "state", answer_names[finding->answer]);
	jsonw_key_bool(json, "required", question->is_required);
	jsonw_key_str(json, "detail", finding->detail);
	if (finding->answer != ANSWER_USABLE)
		jsonw_key_str(json, "remedy", question->remedy);
	jsonw_object_close(json);
}

static void ask_all(struct report *report, const struct question *questions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct finding finding = {.answer = ANSWER_MISSING};

		questions[i].ask(&finding);
		if (questions[i].is_required && finding.answer == ANSWER_MISSING)
			report->missing++;
		if (report->json != NULL)
			add_object(report, &questions[i], &finding);
		else
			add_row(report, &questions[i], &finding);
	}
}

static void ask_everything(struct report *report)
{
	ask_all(report, questions_settings, questions_settings_count);
	ask_all(report, questions_namespaces, questions_namespaces_count);
	ask_all(report, questions_kernel, questions_kernel_count);
}

static void write_table(struct report *report)
{
	buf_printf(report->out, "%-38s %-8s %-9s %s\n", "FEATURE", "STATE", "NEED", "DETAIL");
	ask_everything(report);
	if (report->missing == 0)
		buf_printf(report->out, "\nThe service can run here as %s.\n",
			   geteuid() == 0 ? "root" : "this user");
	else
		buf_printf(report->out, "\nThe service cannot run here: %u required missing.\n",
			   report->missing);
}

static void write_json(struct report *report)
{
	struct jsonw json;

	jsonw_init(&json, report->out);
	report->json = &json;
	jsonw_object_open(&json);
	jsonw_key_str(&json, "version", CASEMATE_VERSION);
	jsonw_key_bool(&json, "root", geteuid() == 0);
	jsonw_key(&json, "features");
	jsonw_array_open(&json);
	ask_everything(report);
	jsonw_array_close(&json);
	jsonw_key_bool(&json, "ready", report->missing == 0);
	jsonw_object_close(&json);
	buf_add_char(report->out, '\n');
}

static int print_usage(FILE *stream, int code)
{
	(void)fprintf(stream,
		      "usage: casemate doctor [--json]\n\n"
		      "Says which features of this kernel the service can use as the present "
		      "user,\nand what to do about those it cannot.\n\n"
		      "  --json     one JSON object instead of a table\n"
		      "  --help     this text\n"
		      "  --version  the version\n\n"
		      "Exit status: 0 everything required is usable, 1 something is missing, "
		      "2 usage.\n");
	return code;
}

int main(int argc, char **argv)
{
	own_buf out;
	struct report report = {.out = &out};
	bool is_json = argc == 2 && strcmp(argv[1], "--json") == 0;

	buf_init(&out, REPORT_BYTES_MAX);
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return print_usage(stdout, 0);
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("casemate-doctor %s\n", CASEMATE_VERSION);
		return 0;
	}
	if (argc > 2 || (argc == 2 && !is_json))
		return print_usage(stderr, 2);
	if (is_json)
		write_json(&report);
	else
		write_table(&report);
	if (buf_check(&out, NULL) < 0 ||
	    fwrite(out.data, 1, out.length, stdout) != out.length || fflush(stdout) != 0)
		return 1;
	return report.missing == 0 ? 0 : 1;
}
