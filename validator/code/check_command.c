#include "validator/code/check_command.h"

#include <fcntl.h>
#include <string.h>

#include "validator/catalog.h"
#include "validator/code/enforce.h"
#include "validator/code/policy_files.h"
#include "validator/code/report.h"
#include "validator/enclose.h"
#include "validator/json_guard.h"
#include "validator/oneshot.h"
#include "validator/rule_ids.h"

enum { EXIT_GOOD = 0, EXIT_REJECTED = 1, EXIT_UNUSABLE = 2 };

static const char usage[] =
	"usage: casemate check [options] FILE|-...\n"
	"       casemate check --rules DIR\n"
	"\n"
	"Judges source text as the service does and prints what it finds.\n"
	"  --language L  python, javascript or bash; else by the file's name\n"
	"  --policy P    open, standard, strict or a file; standard without it\n"
	"  --json        findings as JSON, as the service answers; a line for each file\n"
	"  --sarif       findings as SARIF 2.1.0, for editors and build servers\n"
	"  --rules DIR   these rules and not those that are installed; without a FILE\n"
	"                their examples are run\n"
	"Exit codes: 0 nothing is rejected, 1 rejected or an example fails, 2 unusable: then\n"
	"nothing is judged.\n";

/* The largest source read; what is above the limit of the service is a finding. */
#define SOURCE_BYTES_MAX (64u << 20)

/* All are open before the first is read. */
#define FILES_MAX 512

struct options {
	const char *language; /* NULL: by the file's name */
	const char *rules;
	const char *policy; /* NULL: standard */
	const char *files[FILES_MAX];
	size_t file_count;
	enum output_kind { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_SARIF } output;
};

/* --- input ------------------------------------------------------------------------------- */

static int open_source(const char *path, int *ret, struct err *err)
{
	*ret = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
				      : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return *ret < 0 ? err_errno(err, errno, "%s", path) : 0;
}

/* What the service loads once, for one source. */
struct tools {
	struct catalog catalog;
	struct code_rules rules;
	struct policy_set *policies;
	const struct policy *policy;
};

static int open_share(const char *name, int *ret_fd, struct err *err)
{
	own_fd schemas = -1;
	int status = oneshot_open_schemas(&schemas, err);

	if (status < 0)
		return status;
	*ret_fd = openat(schemas, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_errno(err, errno, "installed folder %s", name) : 0;
}

static int load_rules(const struct options *options, struct tools *tools, struct err *err)
{
	own_fd folder = -1;
	int status = 0;

	if (options->rules != NULL) {
		folder = open(options->rules, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (folder < 0)
			return err_errno(err, errno, "%s", options->rules);
	} else
		status = open_share("../rules", &folder, err);
	return status < 0 ? status
			  : code_rules_load(&tools->rules,
					    tools->catalog.schemas[CATALOG_RULES], folder, err);
}

/* With --rules there are none of those that the policy may be about. */
static bool names_known_rules(const struct options *options, const struct tools *tools,
			      const json_t *documents, struct faults *faults)
{
	own_json *ids = rule_ids_of(&tools->rules);

	faults_init(faults);
	if (options->rules == NULL && ids != NULL)
		rule_ids_check(ids, json_object_get(documents, "file"), NULL, faults);
	return faults->count == 0;
}

/* A name of those that are installed, or a file. */
static int load_policy(const struct options *options, struct tools *tools, struct err *err)
{
	const struct schema *schema = tools->catalog.schemas[CATALOG_POLICY];
	const char *name = options->policy != NULL ? options->policy : "standard";
	bool is_file = strchr(name, '/') != NULL || strstr(name, ".json") != NULL;
	own_mem struct faults *faults = malloc(sizeof(*faults));
	own_json *documents = json_object();
	own_fd folder = -1;
	int status = open_share("../policies", &folder, err);

	if (faults == NULL || documents == NULL)
		return err_set(err, ENOMEM, "memory for policies");
	if (status == 0)
		status = policy_files_load(folder, schema, documents, err);
	if (status == 0 && is_file)
		status = policy_file_add(AT_FDCWD, name, "file", schema, documents, err);
	if (status < 0)
		return status;
	if (is_file && !names_known_rules(options, tools, documents, faults))
		return err_set(err, EINVAL, "%s: %.60s: %.100s. %.100s", name,
			       faults->list[0].pointer, faults->list[0].detail,
			       faults->list[0].hint);
	if (policy_set_new(documents, &tools->policies, faults) < 0)
		return err_set(err, EINVAL, "policies: %.60s: %.200s", faults->list[0].pointer,
			       faults->list[0].detail);
	tools->policy = policy_find(tools->policies, is_file ? "file" : name);
	return tools->policy != NULL ? 0 : err_set(err, EINVAL, "no policy '%s'", name);
}

static int load_tools(const struct options *options, struct tools *tools, struct err *err)
{
	own_fd folder = -1;
	int status = oneshot_open_schemas(&folder, err);

	if (status == 0)
		status = catalog_load(&tools->catalog, folder, err);
	if (status == 0)
		status = load_rules(options, tools, err);
	return status < 0 ? status : load_policy(options, tools, err);
}

static void free_tools(struct tools *tools)
{
	code_rules_done(&tools->rules);
	policy_set_free(tools->policies);
	catalog_done(&tools->catalog);
	free(tools);
}

/* A file needs the rules of its own language only, and compiling them takes a while. */
static int finish_once(struct code_rules *rules, enum code_language language, struct err *err)
{
	return rules->sets[language].first != NULL ? 0
						   : code_rules_finish(rules, language, err);
}

/* By the option, else by the end of the name. */
static int find_language(const struct options *options, const char *file,
			 enum code_language *ret, struct err *err)
{
	static const struct {
		const char *end;
		enum code_language language;
	} ends[] = {{".py", CODE_PYTHON},      {".js", CODE_JAVASCRIPT},
		    {".mjs", CODE_JAVASCRIPT}, {".cjs", CODE_JAVASCRIPT},
		    {".sh", CODE_BASH},	       {".bash", CODE_BASH}};
	size_t length = strlen(file);

	if (options->language != NULL) {
		*ret = code_language_find(options->language);
		return *ret != CODE_LANGUAGES
			       ? 0
			       : err_set(err, EINVAL, "no language '%s'", options->language);
	}
	for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
		size_t end = strlen(ends[i].end);

		if (length > end && strcmp(file + length - end, ends[i].end) == 0) {
			*ret = ends[i].language;
			return 0;
		}
	}
	return err_set(err, EINVAL, "say which --language %s is", file);
}

/* --- work -------------------------------------------------------------------------------- */

static int prove(struct code_rules *rules, FILE *out, struct err *unusable)
{
	size_t failed = 0;
	int status = 0;

	for (unsigned i = 0; i < CODE_LANGUAGES && status == 0; i++)
		status = code_rules_ready(rules, (enum code_language)i, unusable);
	if (status < 0)
		return status;
	for (size_t i = 0; i < rules->rule_count; i++) {
		struct err err = {0};

		if (code_rules_prove_one(rules, i, &err) < 0) {
			(void)fprintf(out, "%s\n", err.text);
			failed++;
		}
	}
	(void)fprintf(out, "%zu rules, %zu with an example that fails\n", rules->rule_count,
		      failed);
	return failed == 0 ? EXIT_GOOD : EXIT_REJECTED;
}

static bool is_rejecting(const struct code_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->list[i].is_rejecting)
			return true;
	return false;
}

/* Everything of all files; SARIF is one document. */
struct output {
	enum output_kind kind;
	struct buf text;
	struct report_sarif sarif;
};

static void tell(struct output *output, const struct report_source *source,
		 const struct code_findings *findings)
{
	if (output->kind == OUTPUT_JSON)
		code_report_json(source, findings, &output->text);
	else if (output->kind == OUTPUT_SARIF)
		code_report_sarif(&output->sarif, source, findings);
	else
		code_report_text(source, findings, &output->text);
}

/* EXIT_GOOD, EXIT_REJECTED or negative. */
static int judge_one(struct tools *tools, const struct report_source *named, int fd,
		     struct output *output, struct err *err)
{
	own_mem struct code_findings *findings = calloc(1, sizeof(*findings));
	struct report_source source = *named;
	own_buf text = {.data = NULL};
	bool is_bad;
	int status;

	if (findings == NULL)
		return err_set(err, ENOMEM, "memory for findings");
	buf_init(&text, SOURCE_BYTES_MAX);
	status = buf_read(&text, fd);
	if (status < 0)
		return err_errno(err, -status, "%s", source.file);
	status = buf_check(&text, err);
	if (status < 0)
		return status;
	source.policy = policy_name(tools->policy);
	source.text = text.data != NULL ? text.data : "";
	source.length = text.length;
	status = code_examine(&tools->rules, tools->policy, source.language, source.text,
			      source.length, LIMIT_CODE_TIME_MS * 1000u, findings, err);
	if (status == 0)
		tell(output, &source, findings);
	is_bad = is_rejecting(findings);
	code_findings_done(findings);
	return status < 0 ? status : is_bad ? EXIT_REJECTED : EXIT_GOOD;
}

static int confine(struct err *err)
{
	unsigned landlock_abi;

#ifdef CASEMATE_TEST_BUILD
	/* For the test that shows that its probe notices. */
	if (getenv("CASEMATE_CHECK_UNCONFINED") != NULL)
		return 0;
#endif
	return enclose(0, &landlock_abi, err);
}

/* What is needed of the file system is opened first. What then reads the sources holds nothing
 * else: the parsers are the work of others. */
static int judge_all(const struct options *options, struct tools *tools, const int *fds,
		     struct output *output, struct err *err)
{
	struct report_source sources[FILES_MAX];
	int worst = EXIT_GOOD;
	int status = 0;

	for (size_t i = 0; i < options->file_count && status == 0; i++) {
		sources[i] = (struct report_source){.file = options->files[i]};
		status = find_language(options, sources[i].file, &sources[i].language, err);
		if (status == 0)
			status = finish_once(&tools->rules, sources[i].language, err);
	}
	if (status == 0)
		status = confine(err);
	for (size_t i = 0; i < options->file_count && status >= 0; i++) {
		status = judge_one(tools, &sources[i], fds[i], output, err);
		worst = status > worst ? status : worst;
	}
	return status < 0 ? status : worst;
}

static int open_all(const struct options *options, int *fds, struct err *err)
{
	int status = 0;

	for (size_t i = 0; i < options->file_count && status == 0; i++)
		status = open_source(options->files[i], &fds[i], err);
	return status;
}

static int judge(const struct options *options, struct tools *tools, FILE *out, struct err *err)
{
	struct output output = {.kind = options->output};
	int fds[FILES_MAX];
	int code = EXIT_GOOD;

	memset(fds, 0xff, sizeof(fds));
	buf_init(&output.text, REPORT_BYTES_MAX * options->file_count);
	if (output.kind == OUTPUT_SARIF)
		code_report_sarif_open(&output.sarif, &output.text);
	code = open_all(options, fds, err);
	if (code == 0)
		code = judge_all(options, tools, fds, &output, err);
	for (size_t i = 0; i < options->file_count; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	if (output.kind == OUTPUT_SARIF)
		code_report_sarif_close(&output.sarif, &output.text);
	if (code >= 0 && (output.text.has_failed ||
			  (output.text.length > 0 &&
			   fwrite(output.text.data, output.text.length, 1, out) != 1)))
		code = EXIT_UNUSABLE;
	buf_done(&output.text);
	return code;
}

static bool take_flag(struct options *options, const char *word)
{
	if (strcmp(word, "--json") == 0)
		options->output = OUTPUT_JSON;
	else if (strcmp(word, "--sarif") == 0)
		options->output = OUTPUT_SARIF;
	else
		return false;
	return true;
}

static const char **find_value(struct options *options, const char *word)
{
	if (strcmp(word, "--language") == 0)
		return &options->language;
	if (strcmp(word, "--policy") == 0)
		return &options->policy;
	return strcmp(word, "--rules") == 0 ? &options->rules : NULL;
}

static int take_options(struct options *options, int count, char **arguments, struct err *err)
{
	for (int i = 0; i < count; i++) {
		const char *word = arguments[i];
		const char **value = find_value(options, word);

		if (take_flag(options, word))
			continue;
		if (value != NULL && i + 1 < count)
			*value = arguments[++i];
		else if (value == NULL && options->file_count < FILES_MAX &&
			 (word[0] != '-' || word[1] == '\0'))
			options->files[options->file_count++] = word;
		else
			return err_set(err, EINVAL, "bad argument %s", word);
	}
	if (options->file_count == 0 && options->rules == NULL)
		return err_set(err, EINVAL, "a file is needed");
	return 0;
}

int check_command(int count, char **arguments, FILE *out, FILE *err_out)
{
	struct tools *tools = calloc(1, sizeof(*tools));
	struct options options = {.file_count = 0};
	struct err err = {0};
	int status = take_options(&options, count, arguments, &err);

	if (tools == NULL)
		return EXIT_UNUSABLE;
	if (count > 0 && strcmp(arguments[count - 1], "--help") == 0) {
		free(tools);
		return fputs(usage, out) == EOF ? EXIT_UNUSABLE : EXIT_GOOD;
	}
	if (status < 0) {
		(void)fprintf(err_out, "casemate: %s\n\n%s", err.text, usage);
		free(tools);
		return EXIT_UNUSABLE;
	}
	status = load_tools(&options, tools, &err);
	if (status == 0)
		status = options.file_count == 0 ? prove(&tools->rules, out, &err)
						 : judge(&options, tools, out, &err);
	if (status < 0)
		(void)fprintf(err_out, "casemate: %s\n", err.text);
	free_tools(tools);
	if (fflush(out) != 0)
		return EXIT_UNUSABLE;
	return status < 0 ? EXIT_UNUSABLE : status;
}
