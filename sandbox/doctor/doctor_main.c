/*
 * sandbox/doctor/doctor_main.c - casemate-doctor: says what this kernel can do for the service
 * when it runs as the user who asks, and what to do about what is missing.
 *
 * Reads no input but /proc and /sys. Exit: 0 when everything required is usable, 1 when not, 2
 * for a wrong option.
 */
#include <string.h>

#include "base/jsonw.h"
#include "sandbox/doctor/doctor.h"
#include "schema/status.h"

#define REPORT_BYTES_MAX (256 * 1024)

static const char *const answer_names[] = {"usable", "limited", "missing"};

struct report {
	struct jsonw *json; /* NULL: the table for people */
	struct buf *out;
	unsigned level;		       /* that is judged */
	unsigned missing[LEVEL_COUNT]; /* required at that level and not usable */
	uint32_t layers;	       /* that can be had */
};

static bool is_required(const struct question *question, unsigned level)
{
	if (question->need == REQUIRED_ON_HOST)
		return (level_layers(level) & LAYERS_OF_CELL) == 0;
	return question->need == REQUIRED &&
	       (question->gives == 0 || (question->gives & level_layers(level)) != 0);
}

static void note(struct report *report, const struct question *question,
		 const struct finding *finding)
{
	for (unsigned level = 0; level < LEVEL_COUNT; level++)
		if (is_required(question, level) && finding->answer == ANSWER_MISSING)
			report->missing[level]++;
	if (finding->answer != ANSWER_MISSING)
		report->layers |= finding->layers;
}

/* What a worker of that level consists of here; nothing where it cannot be used. */
static uint32_t layers_at(const struct report *report, unsigned level)
{
	return report->missing[level] == 0 ? report->layers & level_layers(level) : 0;
}

static void add_row(struct report *report, const struct question *question,
		    const struct finding *finding)
{
	buf_printf(report->out, "%-38s %-8s %-9s %s\n", question->name,
		   answer_names[finding->answer],
		   is_required(question, report->level) ? "required" : "optional",
		   finding->detail);
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
	jsonw_key_bool(json, "required", is_required(question, report->level));
	jsonw_key_str(json, "detail", finding->detail);
	if (finding->answer != ANSWER_USABLE)
		jsonw_key_str(json, "remedy", question->remedy);
	jsonw_object_close(json);
}

static void ask_all(struct report *report, const struct question *questions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct finding finding = {.answer = ANSWER_MISSING,
					  .layers = questions[i].gives};

		questions[i].ask(&finding);
		note(report, &questions[i], &finding);
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

/* The same lists as GET /v1/capabilities and each execution have them. */
static void write_level(struct report *report, unsigned level)
{
	uint32_t layers = layers_at(report, level);
	const char *gap;

	buf_printf(report->out, "\nLevel %s", level_name(level));
	if (layers == 0) {
		buf_printf(report->out, " cannot be used here: %u required missing.\n",
			   report->missing[level]);
		return;
	}
	buf_printf(report->out, " can be used here as %s.\n  layers:",
		   geteuid() == 0 ? "root" : "this user");
	for (unsigned i = 0; i < LAYER_COUNT; i++)
		if ((layers & 1u << i) != 0)
			buf_printf(report->out, " %s", layer_name(i));
	buf_printf(report->out, "\n  not promised:%s", gap_name(layers, 0) ? "" : " -");
	for (unsigned i = 0; (gap = gap_name(layers, i)) != NULL; i++)
		buf_printf(report->out, " %s", gap);
	buf_printf(report->out, "\n");
}

static void write_table(struct report *report)
{
	buf_printf(report->out, "%-38s %-8s %-9s %s\n", "FEATURE", "STATE", "NEED", "DETAIL");
	ask_everything(report);
	for (unsigned level = 0; level < LEVEL_COUNT; level++)
		write_level(report, level);
}

static void add_level(struct report *report, unsigned level)
{
	struct jsonw *json = report->json;
	uint32_t layers = layers_at(report, level);
	const char *gap;

	jsonw_object_open(json);
	jsonw_key_str(json, "level", level_name(level));
	jsonw_key_bool(json, "usable", layers != 0);
	jsonw_key(json, "layers");
	jsonw_array_open(json);
	for (unsigned i = 0; i < LAYER_COUNT; i++)
		if ((layers & 1u << i) != 0)
			jsonw_str(json, layer_name(i));
	jsonw_array_close(json);
	jsonw_key(json, "not_promised");
	jsonw_array_open(json);
	for (unsigned i = 0; layers != 0 && (gap = gap_name(layers, i)) != NULL; i++)
		jsonw_str(json, gap);
	jsonw_array_close(json);
	jsonw_object_close(json);
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
	jsonw_key(&json, "levels");
	jsonw_array_open(&json);
	for (unsigned level = 0; level < LEVEL_COUNT; level++)
		add_level(report, level);
	jsonw_array_close(&json);
	jsonw_key_bool(&json, "ready", report->missing[report->level] == 0);
	jsonw_object_close(&json);
	buf_add_char(report->out, '\n');
}

static int print_usage(FILE *stream, int code)
{
	(void)fprintf(stream,
		      "usage: casemate doctor [--json] [--level NAME]\n\n"
		      "Says which features of this kernel the service can use as the present "
		      "user,\nand what to do about those it cannot.\n\n"
		      "  --json        one JSON object instead of a table\n"
		      "  --level NAME  what isolation.level will be: full (the default) or "
		      "landlock\n"
		      "  --help        this text\n"
		      "  --version     the version\n\n"
		      "Exit status: 0 everything required is usable, 1 something is missing, "
		      "2 usage.\n");
	return code;
}

static bool take_options(int argc, char **argv, struct report *report, bool *ret_is_json)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			*ret_is_json = true;
			continue;
		}
		if (strcmp(argv[i], "--level") != 0 || ++i == argc)
			return false;
		report->level = level_number(argv[i]);
		if (report->level == LEVEL_COUNT)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	own_buf out;
	struct report report = {.out = &out, .level = LEVEL_FULL};
	bool is_json = false;

	buf_init(&out, REPORT_BYTES_MAX);
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return print_usage(stdout, 0);
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("casemate-doctor %s\n", CASEMATE_VERSION);
		return 0;
	}
	if (!take_options(argc, argv, &report, &is_json))
		return print_usage(stderr, 2);
	if (is_json)
		write_json(&report);
	else
		write_table(&report);
	if (buf_check(&out, NULL) < 0 ||
	    fwrite(out.data, 1, out.length, stdout) != out.length || fflush(stdout) != 0)
		return 1;
	return report.missing[report.level] == 0 ? 0 : 1;
}
