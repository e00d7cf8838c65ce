#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/validator/support.h"
#include "validator/policy.h"

TestSuite(policy, .timeout = 30);

static struct faults faults;

/* {name: policy} with ' for ", each valid and completed. */
static json_t *documents(const char *text)
{
	const struct schema *schema = support_catalog()->schemas[CATALOG_POLICY];
	json_t *all = support_json(text);
	const char *name;
	json_t *document;

	json_object_foreach(all, name, document)
	{
		cr_assert_eq(schema_judge(schema, document, NULL), SCHEMA_VALID, "%s", text);
		cr_assert_eq(schema_fill(schema, document), 0);
	}
	return all;
}

static struct policy_set *good(const char *text)
{
	own_json *all = documents(text);
	struct policy_set *set = NULL;

	cr_assert_eq(policy_set_new(all, &set, &faults), 0, "%s: %s", text,
		     faults.list[0].detail);
	return set;
}

static void bad(const char *text, const char *pointer, const char *rule)
{
	own_json *all = documents(text);
	struct policy_set *set = NULL;

	cr_assert_eq(policy_set_new(all, &set, &faults), -EBADMSG, "%s", text);
	cr_expect(has_fault(&faults, pointer, rule), "%s", text);
}

static void refused(const char *text)
{
	own_json *document = support_json(text);

	cr_expect_eq(schema_judge(support_catalog()->schemas[CATALOG_POLICY], document, NULL),
		     SCHEMA_INVALID, "%s", text);
}

static bool denies_module(const struct policy_set *set, const char *policy, const char *name)
{
	return policy_denies(policy_find(set, policy), CODE_PYTHON, POLICY_MODULES, name, NULL);
}

Test(policy, an_empty_one_denies_nothing)
{
	own_policy_set *set = good("{'p':{}}");
	const struct policy *policy = policy_find(set, "p");

	cr_expect_not(denies_module(set, "p", "os"));
	cr_expect_not(policy_has(policy, CODE_PYTHON, POLICY_MODULES));
	cr_expect_eq(policy_sizes(policy).bytes, POLICY_NO_LIMIT);
	cr_expect_not(policy_rejects(policy, "py-x", POLICY_HIGH));
	cr_expect_not(policy_refuses_unparseable(policy));
	cr_expect_null(policy_find(set, "q"));
}

Test(policy, an_entry_covers_what_is_below_and_no_other_name)
{
	own_policy_set *set = good("{'p':{'python':{'modules':{'deny':['os','xml.sax']}}}}");

	cr_expect(denies_module(set, "p", "os"));
	cr_expect(denies_module(set, "p", "os.path"));
	cr_expect(denies_module(set, "p", "xml.sax.handler"));
	cr_expect_not(denies_module(set, "p", "xml"));
	cr_expect_not(denies_module(set, "p", "oscar"));
	cr_expect_not(denies_module(set, "p", "x.os"));
	cr_expect_not(denies_module(set, "p", ""));
	cr_expect_not(denies_module(set, "p", "."));
}

Test(policy, most_labels_decide_and_deny_wins_a_draw)
{
	own_policy_set *set =
		good("{'p':{'python':{'modules':{'default':'deny',"
		     "'allow':['os.path','json','re'],'deny':['os','re','json.tool']}}}}");

	cr_expect_not(denies_module(set, "p", "os.path"));
	cr_expect(denies_module(set, "p", "os"));
	cr_expect_not(denies_module(set, "p", "json.decoder"));
	cr_expect(denies_module(set, "p", "json.tool"));
	cr_expect(denies_module(set, "p", "re"));
	cr_expect(denies_module(set, "p", "socket"), "in neither list");
}

Test(policy, a_denial_names_policy_and_entry)
{
	own_policy_set *set = good("{'p':{'bash':{'commands':{'default':'deny',"
				   "'allow':['ls'],'deny':['rm']}}}}");
	const struct policy *policy = policy_find(set, "p");
	struct policy_denial denial;

	cr_assert(policy_denies(policy, CODE_BASH, POLICY_COMMANDS, "rm", &denial));
	cr_expect_eq(denial.policy, policy);
	cr_expect_eq(denial.length, 2u);
	cr_expect_str_eq(denial.entry, "rm");
	cr_assert(policy_denies(policy, CODE_BASH, POLICY_COMMANDS, "nc", &denial));
	cr_expect_null(denial.entry);
	cr_expect_not(policy_denies(policy, CODE_PYTHON, POLICY_COMMANDS, "rm", NULL),
		      "another language");
}

/* A model repairs its code by what is allowed; a list of what is not helps it little. */
Test(policy, a_denial_says_what_is_allowed_where_all_else_is_not)
{
	own_policy_set *set = good("{'p':{'bash':{'commands':{'default':'deny',"
				   "'allow':['ls','cat'],'deny':['rm']}}},"
				   "'q':{'bash':{'commands':{'deny':['rm']}}}}");
	struct policy_denial denial;

	cr_assert(policy_denies(policy_find(set, "p"), CODE_BASH, POLICY_COMMANDS, "nc",
				&denial));
	cr_expect_str_eq(denial.hint, "Use only the commands that this policy allows: cat ls");
	cr_assert(policy_denies(policy_find(set, "q"), CODE_BASH, POLICY_COMMANDS, "rm",
				&denial));
	cr_expect_null(denial.hint);
}

Test(policy, a_hint_names_some_of_very_many_and_counts_the_rest)
{
	own_buf text;
	struct policy_denial denial;

	buf_init(&text, 1 << 16);
	buf_add_str(&text, "{'p':{'python':{'modules':{'default':'deny','allow':['m0'");
	for (unsigned i = 1; i < 500; i++)
		buf_printf(&text, ",'m%u'", i);
	buf_add_str(&text, "]}}}}");
	own_policy_set *set = good(text.data);

	cr_assert(policy_denies(policy_find(set, "p"), CODE_PYTHON, POLICY_MODULES, "os",
				&denial));
	cr_expect(strlen(denial.hint) < 1100 && strstr(denial.hint, " more)") != NULL, "%s",
		  denial.hint);
}

/* Whatever a request brings, nothing that its principal's policy denies becomes allowed. */
Test(policy, what_narrows_cannot_widen)
{
	own_policy_set *set = good(
		"{'p':{'python':{'modules':{'deny':['os']}},'size':{'bytes':100,'lines':7},"
		"'reject':{'severity':'medium','rules':['py-a']},"
		"'severities':{'py-b':'high'},'unparseable':'refuse'}}");
	own_json *wide = documents("{'r':{'python':{'modules':{'allow':['os','json']}},"
				   "'size':{'bytes':1000,'lines':3},"
				   "'reject':{'severity':'none'},'unparseable':'finding',"
				   "'severities':{'py-a':'off','py-b':'off','py-c':'off'}}}");
	struct policy *narrow = NULL;

	cr_assert_eq(
		policy_narrow(policy_find(set, "p"), "r", json_object_get(wide, "r"), &narrow),
		0);
	cr_expect(policy_denies(narrow, CODE_PYTHON, POLICY_MODULES, "os", NULL));
	cr_expect_not(policy_denies(narrow, CODE_PYTHON, POLICY_MODULES, "json", NULL));
	cr_expect_eq(policy_sizes(narrow).bytes, 100u);
	cr_expect_eq(policy_sizes(narrow).lines, 3u);
	cr_expect(policy_rejects(narrow, "py-a", POLICY_INFO));
	cr_expect(policy_rejects(narrow, "py-b", POLICY_INFO));
	cr_expect(policy_rejects(narrow, "py-c", POLICY_MEDIUM));
	cr_expect_not(policy_rejects(narrow, "py-c", POLICY_LOW));
	cr_expect_eq(policy_severity(narrow, "py-b", POLICY_INFO), POLICY_HIGH);
	cr_expect_eq(policy_severity(narrow, "py-c", POLICY_LOW), POLICY_LOW);
	cr_expect(policy_refuses_unparseable(narrow));
	policy_free(narrow);
}

Test(policy, what_narrows_takes_away)
{
	own_policy_set *set = good("{'a':{},'b':{'narrows':'a','reject':{'severity':'low'},"
				   "'python':{'modules':{'deny':['os']}}}}");

	cr_expect_not(denies_module(set, "a", "os"));
	cr_expect(denies_module(set, "b", "os"));
	cr_expect_not(policy_rejects(policy_find(set, "a"), "py-a", POLICY_HIGH));
	cr_expect(policy_rejects(policy_find(set, "b"), "py-a", POLICY_LOW));
	cr_expect_str_eq(policy_name(policy_narrows(policy_find(set, "b"))), "a");
}

Test(policy, two_joined_must_both_be_satisfied)
{
	own_policy_set *set =
		good("{'a':{'python':{'modules':{'deny':['os']}}},"
		     "'b':{'narrows':'c','python':{'modules':{'allow':['os'],'deny':['re']}}},"
		     "'c':{'python':{'modules':{'deny':['csv']}},'size':{'lines':3}}}");
	const struct policy *a = policy_find(set, "a");
	const struct policy *b = policy_find(set, "b");
	const struct policy *c = policy_find(set, "c");
	struct policy *joined = NULL;

	cr_assert_eq(policy_join(a, b, &joined), 0);
	for (const char *const *name = (const char *const[]){"os", "re", "csv", NULL};
	     *name != NULL; name++)
		cr_expect(policy_denies(joined, CODE_PYTHON, POLICY_MODULES, *name, NULL), "%s",
			  *name);
	cr_expect_not(policy_denies(joined, CODE_PYTHON, POLICY_MODULES, "json", NULL));
	cr_expect_eq(policy_sizes(joined).lines, 3u);
	cr_expect_str_eq(policy_name(joined), "b");
	cr_expect(policy_includes(joined, a));
	policy_free(joined);
	/* They are as they were. */
	cr_expect_not(denies_module(set, "b", "os"));
	cr_expect(denies_module(set, "b", "csv"));

	cr_assert_eq(policy_join(b, c, &joined), 0);
	cr_expect_null(joined);
	cr_assert_eq(policy_join(c, b, &joined), 0);
	cr_expect_null(joined);
	cr_assert_eq(policy_join(a, a, &joined), 0);
	cr_expect_null(joined);
	cr_expect(policy_includes(b, c));
	cr_expect_not(policy_includes(c, b));
}

Test(policy, a_rule_can_be_switched_off_by_its_own_policy)
{
	own_policy_set *set = good("{'p':{'reject':{'severity':'info'},"
				   "'severities':{'py-a':'off','py-b':'low'}}}");
	const struct policy *policy = policy_find(set, "p");

	cr_expect_eq(policy_severity(policy, "py-a", POLICY_HIGH), POLICY_OFF);
	cr_expect_not(policy_rejects(policy, "py-a", POLICY_HIGH));
	cr_expect_eq(policy_severity(policy, "py-b", POLICY_HIGH), POLICY_LOW);
}

Test(policy, chains_end)
{
	bad("{'p':{'narrows':'q'}}", "/p/narrows", "reference");
	bad("{'p':{'narrows':'p'}}", "/p/narrows", "chain");
	bad("{'p':{'narrows':'q'},'q':{'narrows':'p'}}", "/q/narrows", "chain");
	policy_set_free(
		good("{'a':{},'b':{'narrows':'a'},'c':{'narrows':'b'},'d':{'narrows':'c'},"
		     "'e':{'narrows':'d'},'f':{'narrows':'e'},'g':{'narrows':'f'},"
		     "'h':{'narrows':'g'}}"));
	bad("{'a':{},'b':{'narrows':'a'},'c':{'narrows':'b'},'d':{'narrows':'c'},"
	    "'e':{'narrows':'d'},'f':{'narrows':'e'},'g':{'narrows':'f'},"
	    "'h':{'narrows':'g'},'i':{'narrows':'h'}}",
	    "/i/narrows", "chain");
}

Test(policy, the_schema_refuses_what_would_do_nothing)
{
	refused("{'python':{'module':{}}}");
	refused("{'python':{'modules':{'deny':['os.']}}}");
	refused("{'python':{'modules':{'deny':['a b']}}}");
	refused("{'ruby':{}}");
	refused("{'reject':{'severity':'huge'}}");
	refused("{'severities':{'Py A':'off'}}");
	refused("{'size':{'bytes':0}}");
	refused("{'bash':{'syntax':{'deny':['backgroundd']}}}");
}

/* --- the built-in ones ------------------------------------------------------------------- */

static struct policy_set *built_in(void)
{
	static const char *const names[] = {"open", "standard", "strict"};
	const struct schema *schema = support_catalog()->schemas[CATALOG_POLICY];
	own_json *all = json_object();
	struct policy_set *set = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[80];
		size_t length = 0;
		char *text;
		json_t *document = NULL;

		(void)snprintf(path, sizeof(path), "validator/policies/%s.json", names[i]);
		text = support_read(path, &length);
		cr_assert_not_null(text);
		cr_assert_eq(json_guard_parse(text, length, &document, &faults), 0);
		free(text);
		cr_assert_eq(schema_judge(schema, document, NULL), SCHEMA_VALID, "%s", path);
		cr_expect(json_string_length(json_object_get(document, "description")) > 80);
		cr_assert_eq(schema_fill(schema, document), 0);
		cr_assert_eq(json_object_set_new(all, names[i], document), 0);
	}
	cr_assert_eq(policy_set_new(all, &set, &faults), 0);
	return set;
}

Test(policy, open_refuses_nothing)
{
	own_policy_set *set = built_in();
	const struct policy *open = policy_find(set, "open");

	for (unsigned topic = 0; topic < POLICY_TOPICS; topic++)
		cr_expect_not(policy_has(open, CODE_PYTHON, (enum policy_topic)topic));
	cr_expect_not(policy_rejects(open, "py-a", POLICY_HIGH));
	cr_expect_not(policy_refuses_unparseable(open));
}

Test(policy, standard_is_for_ordinary_work)
{
	own_policy_set *set = built_in();

	cr_expect_not(denies_module(set, "standard", "pandas"));
	cr_expect_not(denies_module(set, "standard", "os"));
	cr_expect_not(denies_module(set, "standard", "subprocess"));
	cr_expect(denies_module(set, "standard", "ctypes.util"));
	cr_expect(policy_rejects(policy_find(set, "standard"), "py-a", POLICY_HIGH));
	cr_expect_not(policy_rejects(policy_find(set, "standard"), "py-a", POLICY_MEDIUM));
}

Test(policy, strict_is_pure_computation)
{
	own_policy_set *set = built_in();
	const struct policy *strict = policy_find(set, "strict");
	static const char *const no[] = {"os",	    "sys",	"subprocess", "socket",
					 "pathlib", "ctypes",	"importlib",  "threading",
					 "inspect", "urllib",	"gc",	      "builtins",
					 "pickle",  "tempfile", "shutil"};
	static const char *const yes[] = {"math", "datetime",	 "json", "collections.abc",
					  "re",	  "urllib.parse"};

	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		cr_expect(denies_module(set, "strict", no[i]), "%s", no[i]);
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		cr_expect_not(denies_module(set, "strict", yes[i]), "%s", yes[i]);
	cr_expect(policy_denies(strict, CODE_PYTHON, POLICY_FUNCTIONS, "builtins.open", NULL));
	cr_expect(policy_denies(strict, CODE_PYTHON, POLICY_ATTRIBUTES, "__subclasses__", NULL),
		  "what standard denies, strict does");
	cr_expect(policy_denies(strict, CODE_BASH, POLICY_COMMANDS, "curl", NULL));
	cr_expect(policy_refuses_unparseable(strict));
}
