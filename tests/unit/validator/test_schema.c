#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/validator/support.h"
#include "validator/schema_faults.h"

TestSuite(schema, .timeout = 30);

static struct faults faults;

static struct schema *compile(const char *text)
{
	own_json *document = support_json(text);
	struct schema *schema = NULL;
	struct err err = {0};

	cr_assert(schema_compile(document, SCHEMA_STRICT, &schema, &err) == 0, "%s: %s", text,
		  err.text);
	return schema;
}

/* Checks `value` against the schema and returns the first fault, NULL when there is none. */
static const struct fault *first_fault(const char *schema_text, const char *value_text)
{
	own_schema *schema = compile(schema_text);
	own_json *value = support_json(value_text);
	bool is_valid;

	faults_init(&faults);
	is_valid = schema_check(schema, value, &faults);
	cr_assert_eq(is_valid, faults.count == 0);
	cr_assert_eq(schema_check(schema, value, NULL), is_valid);
	return is_valid ? NULL : &faults.list[0];
}

static void expect_error(const char *text, const char *part)
{
	own_json *document = support_json(text);
	struct schema *schema = NULL;
	struct err err = {0};

	cr_assert_eq(schema_compile(document, SCHEMA_STRICT, &schema, &err), -EINVAL, "%s",
		     text);
	cr_expect(strstr(err.text, part) != NULL, "%s: %s", text, err.text);
}

Test(schema, in_strict_schemas_unknown_keywords_are_errors)
{
	expect_error("{'typ':'string'}", "'/typ' is an unknown keyword");
	expect_error("{'properties':{'a':{'minLenght':1}}}", "/properties/a/minLenght");
	expect_error("{'$defs':{'unused':{'iff':{}}}}", "/$defs/unused/iff");
	expect_error("{'type':'text'}", "/type");
	expect_error("{'type':['string','text']}", "/type");
	expect_error("{'pattern':'('}", "/pattern");
	expect_error("{'minimum':'1'}", "/minimum");
	expect_error("{'maxItems':-1}", "/maxItems");
	expect_error("{'required':[1]}", "/required");
	expect_error("{'$ref':'#/$defs/no'}", "/$ref");
	expect_error("{'$ref':'other.json'}", "/$ref");
	expect_error("{'anyOf':[]}", "/anyOf");
	expect_error("{'items':3}", "/items");
}

Test(schema, faults_have_pointer_rule_and_hint)
{
	const char *schema =
		"{'type':'object','additionalProperties':false,'properties':{"
		"'timeout_ms':{'type':'integer','minimum':1},'a/b':{'type':'array',"
		"'items':{'type':'string'}}}}";
	const struct fault *fault = first_fault(schema, "{'timout':1}");

	cr_expect_str_eq(fault->pointer, "/timout");
	cr_expect_str_eq(fault->rule, "additionalProperties");
	cr_expect_str_eq(fault->hint, "Remove \"timout\"; did you mean \"timeout_ms\"?");

	fault = first_fault(schema, "{'timeout_ms':0}");
	cr_expect_str_eq(fault->pointer, "/timeout_ms");
	cr_expect_str_eq(fault->rule, "minimum");
	cr_expect_str_eq(fault->detail, "0 is below the minimum of 1");

	fault = first_fault(schema, "{'timeout_ms':'5'}");
	cr_expect_str_eq(fault->hint, "Send an integer without quotes.");

	fault = first_fault(schema, "{'a/b':['x',1]}");
	cr_expect_str_eq(fault->pointer, "/a~1b/1");

	fault = first_fault(schema, "{'zzzzzz':1}");
	cr_expect_str_eq(fault->hint, "Remove \"zzzzzz\"; known here: timeout_ms, a/b.");
}

Test(schema, all_faults_are_collected_up_to_the_limit)
{
	own_schema *schema = compile("{'items':{'type':'string'}}");
	own_json *value = json_array();

	for (int i = 0; i < 3 * LIMIT_FAULTS; i++)
		(void)json_array_append_new(value, json_integer(i));
	faults_init(&faults);
	cr_expect_not(schema_check(schema, value, &faults));
	cr_expect_eq(faults.count, LIMIT_FAULTS);
	cr_expect(faults.has_more);
}

Test(schema, a_branch_that_fits_the_type_explains_itself)
{
	const char *schema = "{'anyOf':[{'type':'null'},{'$ref':'#/$defs/x'}],"
			     "'$defs':{'x':{'type':'object','required':['a']}}}";
	const struct fault *fault = first_fault(schema, "{}");

	cr_expect_str_eq(fault->rule, "required");
	cr_expect_str_eq(fault->pointer, "/a");
	cr_expect_str_eq(first_fault(schema, "1")->rule, "anyOf");
}

Test(schema, endless_self_reference_ends)
{
	cr_expect_str_eq(first_fault("{'$ref':'#'}", "1")->rule, "depth");
	cr_expect_str_eq(first_fault("{'allOf':[{'$ref':'#'}]}", "1")->rule, "depth");
}

Test(schema, a_pattern_that_explodes_is_refused_not_waited_for)
{
	const char *schema = "{'pattern':'^(a+)+$'}";

	cr_expect_str_eq(
		first_fault(schema,
			    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'")
			->rule,
		"pattern");
}

Test(schema, dollar_matches_only_at_the_very_end)
{
	cr_expect(first_fault("{'pattern':'^a$'}", "'a\\n'") != NULL);
	cr_expect(first_fault("{'pattern':'^a$'}", "'a'") == NULL);
}

Test(schema, fill_adds_defaults_at_every_level)
{
	own_schema *schema =
		compile("{'properties':{'a':{'properties':{'b':{'default':1}},'default':{}},"
			"'m':{'additionalProperties':{'$ref':'#/$defs/d'}},"
			"'l':{'items':{'$ref':'#/$defs/d'}},'r':{'$ref':'#/$defs/"
			"d','default':{'c':0}}},"
			"'$defs':{'d':{'properties':{'c':{'default':null}}}}}");
	own_json *value = support_json("{'m':{'x':{},'y':{'c':2}},'l':[{}]}");
	own_json *wanted = support_json("{'m':{'x':{'c':null},'y':{'c':2}},'l':[{'c':null}],"
					"'a':{'b':1},'r':{'c':0}}");

	cr_assert_eq(schema_fill(schema, value), 0);
	cr_expect(json_equal(value, wanted) == 1);
}

/* --- our own schemas --------------------------------------------------------------------- */

static const char *const own_files[] = {
#define X(symbol, file, component) file,
	CATALOG_LIST(X)
#undef X
};

static void check_described(const json_t *schema, const char *where)
{
	const json_t *properties = json_object_get(schema, "properties");
	const char *name;
	json_t *property;

	json_object_foreach((json_t *)(uintptr_t)properties, name, property)
	{
		char here[300];

		(void)snprintf(here, sizeof(here), "%s/%s", where, name);
		if (json_object_get(property, "$ref") == NULL &&
		    (json_object_get(property, "type") != NULL ||
		     json_object_get(property, "enum") != NULL)) {
			cr_expect(json_is_string(json_object_get(property, "title")), "%s",
				  here);
			cr_expect(json_is_string(json_object_get(property, "description")),
				  "%s", here);
		}
		check_described(property, here);
	}
}

Test(schema, own_schemas_compile_describe_all_and_fit_their_examples)
{
	const struct catalog *catalog = support_catalog();

	for (size_t i = 0; i < CATALOG_COUNT; i++) {
		const json_t *examples = json_object_get(catalog->documents[i], "examples");
		size_t index;
		json_t *example;

		cr_expect(json_array_size(examples) > 0, "%s", own_files[i]);
		json_array_foreach(examples, index, example)
		{
			faults_init(&faults);
			cr_expect(schema_check(catalog->schemas[i], example, &faults),
				  "%s: %s %s", own_files[i], faults.list[0].pointer,
				  faults.list[0].detail);
		}
		check_described(catalog->documents[i], own_files[i]);
	}
}
