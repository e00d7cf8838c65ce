#include "validator/code/rules.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "validator/code/pattern.h"
#include "validator/code/predicates.h"
#include "validator/json_guard.h"

unsigned code_severity_find(const char *name)
{
	unsigned severity = 0;

	while (severity <= SEVERITY_MAX && strcmp(event_severity_name(severity), name) != 0)
		severity++;
	return severity;
}

/* --- one pattern ------------------------------------------------------------------------- */

static int add_forms(struct rule_set *set, enum code_language language, const char *text,
		     struct err *err)
{
	own_mem struct shape_forms *forms = malloc(sizeof(*forms));
	struct rule_form *all;
	int status = forms == NULL ? err_set(err, ENOMEM, "memory for rules")
				   : shape_compile(language, text, forms, err);

	if (status < 0)
		return status;
	all = realloc(set->forms, (set->form_count + forms->count) * sizeof(*all));
	if (all == NULL)
		return err_set(err, ENOMEM, "memory for rules");
	set->forms = all;
	for (size_t i = 0; i < forms->count; i++)
		all[set->form_count++] = (struct rule_form){
			.form = forms->list[i], .shape = (uint32_t)set->shape_count};
	return 0;
}

/* Index of the shape, which is compiled when it is new. */
static int find_shape(struct rule_set *set, enum code_language language, const char *text,
		      size_t *ret, struct err *err)
{
	struct shape *shapes;
	int status;

	for (*ret = 0; *ret < set->shape_count; (*ret)++)
		if (strcmp(set->shapes[*ret].text, text) == 0)
			return 0;
	status = add_forms(set, language, text, err);
	if (status < 0)
		return status;
	shapes = realloc(set->shapes, (set->shape_count + 1) * sizeof(*shapes));
	if (shapes == NULL)
		return err_set(err, ENOMEM, "memory for rules");
	set->shapes = shapes;
	shapes[set->shape_count] = (struct shape){.text = strdup(text)};
	if (shapes[set->shape_count].text == NULL)
		return err_set(err, ENOMEM, "memory for rules");
	set->shape_count++;
	return 0;
}

static void free_variant(struct variant *variant)
{
	predicates_free(variant->predicates);
	for (uint32_t i = 0; i < variant->capture_count; i++)
		free(variant->captures[i]);
	free(variant);
}

static int add_predicates(struct rule_set *set, struct variant *variant,
			  struct pattern *pattern, struct err *err)
{
	int status = 0;

	for (size_t i = 0; i < pattern->predicate_count && status == 0; i++) {
		struct predicate *predicate = NULL;

		status = predicate_new(&pattern->predicates[i], &set->names, &predicate, err);
		if (status == 0)
			predicates_append(&variant->predicates, predicate);
	}
	return status;
}

static int add_pattern(struct rule_set *set, const struct rule *rule, struct pattern *pattern,
		       struct err *err)
{
	struct variant *variant = calloc(1, sizeof(*variant));
	size_t shape = 0;
	int status;

	if (variant == NULL)
		return err_set(err, ENOMEM, "memory for rules");
	variant->rule = rule;
	status = add_predicates(set, variant, pattern, err);
	if (status == 0 && pattern->capture_count == 0)
		status = err_set(err, EINVAL, "a pattern captures nothing");
	if (status == 0)
		status = find_shape(set, rule->language, pattern->shape.data, &shape, err);
	if (status < 0) {
		free_variant(variant);
		return status;
	}
	memcpy(variant->captures, pattern->captures, sizeof(variant->captures));
	variant->capture_count = pattern->capture_count;
	pattern->capture_count = 0; /* the names have moved */
	for (uint32_t i = 0; i < variant->capture_count; i++)
		if (strcmp(variant->captures[i], "here") == 0)
			variant->here = i;
	variant->next = set->shapes[shape].variants;
	set->shapes[shape].variants = variant;
	return 0;
}

static int add_query(struct rule_set *set, const struct rule *rule, const char *text,
		     struct err *err)
{
	struct pattern pattern;
	int count = 0;
	int status;

	while ((status = pattern_read(&text, &pattern, err)) > 0) {
		status = add_pattern(set, rule, &pattern, err);
		pattern_done(&pattern);
		if (status < 0)
			return status;
		count++;
	}
	if (status == 0 && count == 0)
		return err_set(err, EINVAL, "the query is empty");
	return status;
}

/* One string, or lines of it. */
static int add_query_value(struct rule_set *set, const struct rule *rule, json_t *value,
			   struct err *err)
{
	own_buf text = {.data = NULL};
	size_t i;
	json_t *line;
	int status;

	buf_init(&text, RULE_FILE_BYTES_MAX);
	if (json_is_string(value))
		buf_add_str(&text, json_string_value(value));
	json_array_foreach(value, i, line)
	{
		if (!json_is_string(line))
			return err_set(err, EINVAL, "a line of the query is no string");
		buf_add_str(&text, json_string_value(line));
		buf_add_char(&text, '\n');
	}
	status = buf_check(&text, err);
	return status < 0 ? status
			  : add_query(set, rule, text.data != NULL ? text.data : "", err);
}

/* --- one file ---------------------------------------------------------------------------- */

static const char *text_of(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static int add_rule(struct code_rules *rules, json_t *document, json_t *entry, const char *file,
		    struct err *err)
{
	struct rule *rule = &rules->rules[rules->rule_count];

	if (rules->rule_count == ARRAY_COUNT(rules->rules))
		return err_set(err, E2BIG, "more than %zu rules", ARRAY_COUNT(rules->rules));
	*rule = (struct rule){
		.id = text_of(entry, "id"),
		.family = text_of(document, "family"),
		.cwe = text_of(entry, "cwe"),
		.message = text_of(entry, "message"),
		.hint = text_of(entry, "hint"),
		.file = file,
		.severity = (enum event_severity)code_severity_find(text_of(entry, "severity")),
		.language = code_language_find(text_of(document, "language")),
		.match = json_object_get(entry, "match"),
		.no_match = json_object_get(entry, "no_match"),
	};
	if (rule->severity > SEVERITY_MAX || rule->language == CODE_LANGUAGES)
		return err_set(err, EINVAL, "%s: no such severity or language", rule->id);
	for (size_t i = 0; i < rules->rule_count; i++)
		if (strcmp(rules->rules[i].id, rule->id) == 0)
			return err_set(err, EINVAL, "%s: the id is also in %s", rule->id,
				       rules->rules[i].file);
	rules->rule_count++;
	return 0;
}

static int check_document(const struct schema *schema, json_t *document, struct err *err)
{
	own_schema_report report = {.errors = NULL};

	schema_report_init(&report);
	if (schema == NULL || schema_judge(schema, document, &report) == SCHEMA_VALID)
		return 0;
	if (report.error_count == 0)
		return err_set(err, EINVAL, "cannot be judged");
	return err_set(err, EINVAL, "%.80s: %.150s", report.errors[0].instance,
		       report.errors[0].text);
}

static int add_entries(struct code_rules *rules, json_t *document, const char *file,
		       struct err *err)
{
	size_t i;
	json_t *entry;
	int status = 0;

	json_array_foreach(json_object_get(document, "rules"), i, entry)
	{
		const struct rule *rule = &rules->rules[rules->rule_count];

		status = add_rule(rules, document, entry, file, err);
		if (status < 0)
			return status;
		status = add_query_value(&rules->sets[rule->language], rule,
					 json_object_get(entry, "query"), err);
		if (status < 0)
			return err_prefix(err, "%s", rule->id);
	}
	return 0;
}

int code_rules_add(struct code_rules *rules, const struct schema *schema, json_t *document,
		   const char *file, struct err *err)
{
	char *name = strdup(file);
	int status;

	if (name == NULL || rules->document_count == ARRAY_COUNT(rules->documents)) {
		free(name);
		return err_set(err, E2BIG, "%s: more than %zu files of rules", file,
			       ARRAY_COUNT(rules->documents));
	}
	rules->documents[rules->document_count] = json_incref(document);
	rules->files[rules->document_count++] = name;
	status = check_document(schema, document, err);
	if (status == 0)
		status = add_entries(rules, document, name, err);
	return status < 0 ? err_prefix(err, "%s", name) : 0;
}

/* --- folders ----------------------------------------------------------------------------- */

static int read_text(int folder, const char *name, struct buf *text, struct err *err)
{
	own_fd fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int status;

	if (fd < 0)
		return err_errno(err, errno, "%s", name);
	status = buf_read(text, fd);
	return status < 0 ? err_errno(err, -status, "%s", name) : buf_check(text, err);
}

static int load_file(struct code_rules *rules, const struct schema *schema, int folder,
		     const char *name, const char *shown, struct err *err)
{
	own_mem struct faults *faults = malloc(sizeof(*faults));
	own_json *document = NULL;
	own_buf text = {.data = NULL};
	int status;

	if (faults == NULL)
		return err_set(err, ENOMEM, "memory for rules");
	buf_init(&text, RULE_FILE_BYTES_MAX);
	status = read_text(folder, name, &text, err);
	if (status < 0)
		return status;
	status = json_guard_parse(text.data != NULL ? text.data : "", text.length, &document,
				  faults);
	if (status == -ENOMEM)
		return err_set(err, ENOMEM, "memory for rules");
	if (status < 0)
		return err_set(err, EINVAL, "%s: %s", shown, faults->list[0].detail);
	return code_rules_add(rules, schema, document, shown, err);
}

static int load_folder(struct code_rules *rules, const struct schema *schema, int folder,
		       const char *prefix, int levels, struct err *err);

static int load_entry(struct code_rules *rules, const struct schema *schema, int folder,
		      const char *name, const char *prefix, int levels, struct err *err)
{
	char shown[512];
	size_t length = strlen(name);

	(void)snprintf(shown, sizeof(shown), "%s%s", prefix, name);
	if (length > 5 && strcmp(name + length - 5, ".json") == 0)
		return load_file(rules, schema, folder, name, shown, err);
	if (levels > 0 && name[0] != '.' && strchr(name, '.') == NULL) {
		own_fd inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		(void)snprintf(shown, sizeof(shown), "%s%s/", prefix, name);
		if (inner >= 0)
			return load_folder(rules, schema, inner, shown, levels - 1, err);
	}
	return 0;
}

/* In the order of names, so that findings at one place have one order everywhere. */
static int load_folder(struct code_rules *rules, const struct schema *schema, int folder,
		       const char *prefix, int levels, struct err *err)
{
	struct dirent **entries = NULL;
	int count = scandirat(folder, ".", &entries, NULL, alphasort);
	int status = 0;

	if (count < 0)
		return err_errno(err, errno, "folder of rules %s", prefix);
	for (int i = 0; i < count; i++) {
		if (status == 0)
			status = load_entry(rules, schema, folder, entries[i]->d_name, prefix,
					    levels, err);
		free(entries[i]);
	}
	free(entries);
	return status;
}

int code_rules_load(struct code_rules *rules, const struct schema *schema, int folder,
		    struct err *err)
{
	return load_folder(rules, schema, folder, "", 1, err);
}

/* --- by symbol --------------------------------------------------------------------------- */

uint32_t rule_slot(enum code_language language, uint16_t symbol)
{
	uint32_t count = ts_language_symbol_count(code_grammar(language));

	return symbol < count ? symbol : count;
}

static bool is_gate(const struct shape *shape, uint32_t capture)
{
	uint32_t asker;

	for (const struct variant *one = shape->variants; one != NULL; one = one->next)
		if (!predicates_need_name(one->predicates, capture, &asker))
			return false;
	return true;
}

static int find_gate(struct shape *shape, struct err *err)
{
	int status = 0;

	shape->gate = 0;
	while (shape->gate < RULE_CAPTURES_MAX && !is_gate(shape, shape->gate))
		shape->gate++;
	if (shape->gate == RULE_CAPTURES_MAX)
		return 0;
	for (const struct variant *one = shape->variants; one != NULL && status == 0;
	     one = one->next) {
		uint32_t asker = 0;

		if (predicates_need_name(one->predicates, shape->gate, &asker))
			status = name_askers_add(&shape->askers, &shape->asker_words, asker,
						 err);
	}
	return status;
}

/* Where one step alone is the gate, it decides as soon as it stands. */
static uint32_t gate_step(const struct shape_form *form, uint32_t gate)
{
	uint32_t found = SHAPE_STEPS_MAX;

	if (gate == RULE_CAPTURES_MAX)
		return SHAPE_STEPS_MAX;
	for (uint32_t i = 0; i < form->count; i++) {
		if ((form->steps[i].captures >> gate & 1u) == 0)
			continue;
		if (found != SHAPE_STEPS_MAX)
			return SHAPE_STEPS_MAX;
		found = i;
	}
	return found;
}

/* From the last to the first, so that each list is in the order of the rules. */
int code_rules_ready(struct code_rules *rules, enum code_language language, struct err *err)
{
	struct rule_set *set = &rules->sets[language];
	int status = 0;

	free(set->first);
	set->first = calloc(ts_language_symbol_count(code_grammar(language)) + 1u,
			    sizeof(*set->first));
	if (set->first == NULL)
		return err_set(err, ENOMEM, "memory for rules");
	for (size_t i = set->form_count; i-- > 0;) {
		uint32_t slot = rule_slot(language, set->forms[i].form.steps[0].symbol);

		set->forms[i].next = set->first[slot];
		set->first[slot] = (uint32_t)i + 1;
	}
	for (size_t i = 0; i < set->shape_count && status == 0; i++)
		status = find_gate(&set->shapes[i], err);
	for (size_t i = 0; i < set->form_count && status == 0; i++)
		set->forms[i].gate =
			gate_step(&set->forms[i].form, set->shapes[set->forms[i].shape].gate);
	return status;
}

void code_rules_done(struct code_rules *rules)
{
	for (unsigned i = 0; i < CODE_LANGUAGES; i++) {
		struct rule_set *set = &rules->sets[i];

		for (size_t k = 0; k < set->shape_count; k++) {
			while (set->shapes[k].variants != NULL) {
				struct variant *next = set->shapes[k].variants->next;

				free_variant(set->shapes[k].variants);
				set->shapes[k].variants = next;
			}
			free(set->shapes[k].askers);
			free(set->shapes[k].text);
		}
		free(set->shapes);
		name_index_free(set->names);
		free(set->forms);
		free(set->first);
	}
	for (size_t i = 0; i < rules->document_count; i++) {
		json_decref(rules->documents[i]);
		free(rules->files[i]);
	}
	*rules = (struct code_rules){.rule_count = 0};
}

/* --- examples ---------------------------------------------------------------------------- */

static bool finds(const struct code_rules *rules, const struct rule *rule, json_t *example)
{
	struct code_findings *findings = calloc(1, sizeof(*findings));
	struct err err = {0};
	bool is_found = false;

	if (findings != NULL &&
	    code_examine(rules, NULL, rule->language, json_string_value(example),
			 json_string_length(example), UINT32_MAX, findings, &err) == 0)
		for (size_t i = 0; i < findings->count; i++)
			is_found |= strcmp(findings->list[i].rule, rule->id) == 0;
	if (findings != NULL)
		code_findings_done(findings);
	free(findings);
	return is_found;
}

static int prove(const struct code_rules *rules, const struct rule *rule, bool wants_match,
		 struct err *err)
{
	json_t *examples = wants_match ? rule->match : rule->no_match;
	size_t i;
	json_t *example;

	json_array_foreach(examples, i, example)
	{
		if (finds(rules, rule, example) != wants_match)
			return err_set(err, EINVAL, "%s: %s: %s[%zu] %s: %.100s", rule->file,
				       rule->id, wants_match ? "match" : "no_match", i,
				       wants_match ? "is not found" : "is found",
				       json_string_value(example));
	}
	return 0;
}

int code_rules_prove_one(const struct code_rules *rules, size_t which, struct err *err)
{
	int status = prove(rules, &rules->rules[which], true, err);

	return status < 0 ? status : prove(rules, &rules->rules[which], false, err);
}

int code_rules_finish(struct code_rules *rules, enum code_language language, struct err *err)
{
	int status = code_rules_ready(rules, language, err);

	for (size_t i = 0; i < rules->rule_count && status == 0; i++)
		if (rules->rules[i].language == language)
			status = code_rules_prove_one(rules, i, err);
	return status;
}
