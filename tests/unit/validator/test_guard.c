#include <criterion/criterion.h>
#include <string.h>

#include "schema/bundle.h"
#include "schema/guard.h"
#include "tests/unit/validator/support.h"
#include "validator/guard.h"

TestSuite(validator_guard, .timeout = 30);

static struct policy_set *set_of(const char *text)
{
	const struct schema *schema = support_catalog()->schemas[CATALOG_POLICY];
	own_json *all = support_json(text);
	struct policy_set *set = NULL;
	struct faults faults;
	const char *name;
	json_t *document;

	json_object_foreach(all, name, document)
	{
		cr_assert_eq(schema_judge(schema, document, NULL), SCHEMA_VALID, "%s", text);
		cr_assert_eq(schema_fill(schema, document), 0);
	}
	cr_assert_eq(policy_set_new(all, &set, &faults), 0, "%s", text);
	return set;
}

/* The lists as a worker reads them; the payload holds the texts. */
static struct guard sent(const struct policy *policy, struct buf *payload)
{
	struct bundle_reader reader;
	struct bundle_entry entry;
	struct guard guard = {.count = 0};
	struct span span;

	buf_init(payload, LIMIT_PAYLOAD_BYTES);
	cr_assert_eq(guard_add(policy, payload, NULL), 0);
	cr_assert_eq(buf_check(payload, NULL), 0);
	span = (struct span){.data = payload->data, .length = payload->length};
	bundle_reader_init(&reader, &span);
	cr_assert_eq(bundle_next(&reader, &entry, NULL), 1);
	cr_assert_eq(entry.kind, BUNDLE_GUARD);
	cr_assert_eq(guard_decode(entry.data, entry.length, &guard, NULL), 0);
	return guard;
}

Test(validator_guard, only_python_and_only_lists_need_one)
{
	own_policy_set *set = set_of("{'none':{},'sizes':{'size':{'bytes':9},'python':{'"
				     "attributes':{'deny':['x']}}},"
				     "'shell':{'bash':{'commands':{'deny':['su']}}},"
				     "'module':{'python':{'modules':{'deny':['os']}}},"
				     "'function':{'python':{'functions':{'default':'deny'}}},"
				     "'below':{'narrows':'module'}}");
	static const struct {
		const char *policy, *language;
		bool is_needed;
	} rows[] = {{"none", "python", false},	  {"sizes", "python", false},
		    {"shell", "python", false},	  {"module", "python", true},
		    {"function", "python", true}, {"below", "python", true},
		    {"module", "python3", false}, {"module", "javascript", false},
		    {"function", "bash", false}};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		cr_expect_eq(
			guard_is_needed(policy_find(set, rows[i].policy), rows[i].language),
			rows[i].is_needed, "%s %s", rows[i].policy, rows[i].language);
	cr_expect_not(guard_is_needed(NULL, "python"));
}

/* The second lock must mean what the first does. */
Test(validator_guard, a_worker_denies_what_the_policy_denies)
{
	static const char *const names[] = {"os",	    "os.path", "os.path.join",
					    "os.system",    "osx",     "json",
					    "json.decoder", "ctypes",  "xml",
					    "xml.sax",	    "xml.dom", "",
					    "a..b",	    ".",       "numpy",
					    "\xc3\xa9",	    "xml.s",   "builtins.eval"};
	own_policy_set *set = set_of(
		"{'base':{'python':{'modules':{'deny':['os','ctypes','xml.sax'],"
		"'allow':['os.path','ctypes']},'functions':{'deny':['os.system','json']}}},"
		"'empty':{'narrows':'base'},"
		"'top':{'narrows':'empty','python':{'modules':{'default':'deny',"
		"'allow':['json','os','xml','\xc3\xa9','a']},"
		"'functions':{'allow':['json.decoder'],'deny':['builtins']}}}}");
	const struct policy *policy = policy_find(set, "top");
	own_buf payload;
	struct guard guard = sent(policy, &payload);

	cr_expect_eq(guard.count, 2, "a policy without lists is left out");
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		for (unsigned topic = 0; topic < GUARD_TOPICS; topic++) {
			struct policy_denial want = {.policy = NULL};
			struct guard_denial got = {.policy = NULL};
			bool is_denied = policy_denies(
				policy, CODE_PYTHON,
				topic == GUARD_MODULES ? POLICY_MODULES : POLICY_FUNCTIONS,
				names[i], &want);

			cr_expect_eq(guard_denies(&guard, (enum guard_topic)topic, names[i],
						  strlen(names[i]), &got),
				     is_denied, "%s", names[i]);
			if (!is_denied || got.policy == NULL)
				continue;
			cr_expect_eq(strncmp(got.policy->name, policy_name(want.policy),
					     got.policy->name_length),
				     0);
			cr_expect_eq(got.entry == NULL, want.entry == NULL);
		}
	guard_done(&guard);
}

Test(validator_guard, lists_beyond_the_limit_are_refused_by_name)
{
	enum { NAMES = 10000, BYTES = 150 };
	own_json *deny = json_array();
	own_json *all = NULL;
	own_policy_set *set = NULL;
	struct faults faults;
	struct err err = {0};
	own_buf payload;

	for (int i = 0; i < NAMES; i++)
		json_array_append_new(deny, json_sprintf("%0*d", BYTES, i));
	all = json_pack("{s{s{s{sO}}}}", "huge", "python", "modules", "deny", deny);
	cr_assert_eq(policy_set_new(all, &set, &faults), 0);
	buf_init(&payload, LIMIT_PAYLOAD_BYTES);

	cr_expect_eq(guard_add(policy_find(set, "huge"), &payload, &err), -E2BIG);
	cr_expect(strstr(err.text, "huge") != NULL, "%s", err.text);
	cr_expect_eq(payload.length, 0);
}
