#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/validator/support.h"
#include "validator/config.h"
#include "validator/openapi.h"

TestSuite(config, .timeout = 30);

static struct faults faults;

static int check(const char *text, json_t **ret)
{
	own_json *rule_ids = support_json("{'py-eval':true,'syntax-error':true}");

	return config_check(support_catalog()->schemas[CATALOG_CONFIG], support_policies(),
			    rule_ids, text, strlen(text), ret, &faults);
}

static json_t *good(const char *text)
{
	char *copy = support_quotes(text);
	json_t *config = NULL;

	cr_assert_eq(check(copy, &config), 0, "%s: %s %s", text, faults.list[0].pointer,
		     faults.list[0].detail);
	free(copy);
	return config;
}

static void bad(const char *text, const char *pointer, const char *rule)
{
	char *copy = support_quotes(text);
	json_t *config = NULL;

	cr_assert_eq(check(copy, &config), -EBADMSG, "%s", text);
	cr_expect(has_fault(&faults, pointer, rule), "%s: %s %s", text, faults.list[0].pointer,
		  faults.list[0].rule);
	free(copy);
}

static const json_t *at(const json_t *value, const char *dotted)
{
	char path[200];
	char *rest = path;
	const char *key;

	(void)snprintf(path, sizeof(path), "%s", dotted);
	while ((key = strsep(&rest, ".")) != NULL)
		value = json_object_get(value, key);
	return value;
}

Test(config, empty_is_complete)
{
	own_json *config = good("{}");

	cr_expect_eq(json_integer_value(at(config, "listen.port")), 8443);
	cr_expect_eq(json_integer_value(at(config, "operations.port")), 9443);
	cr_expect_str_eq(json_string_value(at(config, "listen.address")), "127.0.0.1");
	cr_expect(json_is_null(at(config, "tls.crl")));
	cr_expect(json_is_true(at(config, "runtimes.python.enabled")));
	cr_expect(json_is_null(at(config, "runtimes.python.pool_high")));
	cr_expect_eq(json_integer_value(at(config, "uid_base")), 1900000000);
	cr_expect_eq(json_array_size(at(config, "principals")), 0);
	cr_expect_eq(json_array_size(at(config, "isolation.layers_required")), 15);
	cr_expect(json_is_object(at(config, "policies.default")));
}

Test(config, a_level_requires_what_it_has)
{
	own_json *config = good("{'isolation':{'level':'landlock'}}");

	cr_expect_eq(json_array_size(at(config, "isolation.layers_required")), 5);
	bad("{'isolation':{'level':'landlock','layers_required':['seccomp','pid_namespace']}}",
	    "/isolation/layers_required/1", "level");
	bad("{'isolation':{'level':'none'}}", "/isolation/level", "enum");
}

Test(config, completed_configuration_is_valid_and_stays_the_same)
{
	own_json *config = good("{'tenants':{'dev':{}},'principals':[{'spiffe':'spiffe://a/*',"
				"'tenant':'dev','roles':['executor']}]}");
	own_json *again = NULL;
	char *text = json_dumps(config, 0);

	cr_assert_eq(check(text, &again), 0);
	cr_expect(json_equal(config, again) == 1);
	cr_expect_eq(json_integer_value(at(config, "tenants.dev.ceilings.wall_ms")), 60000);
	cr_expect_str_eq(
		json_string_value(json_object_get(
			json_array_get(json_object_get(config, "principals"), 0), "policy")),
		"open");
	free(text);
}

Test(config, whole_numbers_are_normalised)
{
	own_json *config = good("{'validators':3.0}");

	cr_expect(json_is_integer(at(config, "validators")));
}

Test(config, a_policy_is_completed_and_may_be_none_of_those_that_come_along)
{
	own_json *config = good("{'policies':{'default':{},'own':{'narrows':'standard'}}}");

	cr_expect_str_eq(json_string_value(at(config, "policies.own.reject.severity")), "none");
	cr_expect_null(at(config, "policies.standard"));
	bad("{'policies':{'a':{},'strict':{}}}", "/policies/strict", "built-in");
	bad("{'policies':{'a':{'narrows':'b'},'b':{'narrows':'a'}}}", "/policies/a/narrows",
	    "chain");
	bad("{'policies':{'a':{'narrows':'nobody'}}}", "/policies/a/narrows", "reference");
	bad("{'policies':{'a':{'python':{'modules':{'deny':['a..b']}}}}}",
	    "/policies/a/python/modules/deny/0", "pattern");
	bad("{'policies':{'a':{'reject':{'severity':'worst'}}}}", "/policies/a/reject/severity",
	    "enum");
	bad("{'policies':{'a':{'rules':1}}}", "/policies/a/rules", "additionalProperties");
}

Test(config, a_principal_has_its_tenants_policy_unless_it_names_one)
{
	own_json *config =
		good("{'policies':{'house':{'narrows':'standard'}},"
		     "'tenants':{'a':{'policy':'house'},'b':{}},"
		     "'principals':[{'cn':'x','tenant':'a','roles':['executor']},"
		     "{'cn':'y','tenant':'a','roles':['executor'],'policy':'strict'},"
		     "{'cn':'z','tenant':'b','roles':['executor']}]}");
	static const char *const wanted[] = {"house", "strict", "open"};

	for (size_t i = 0; i < 3; i++)
		cr_expect_str_eq(
			json_string_value(json_object_get(
				json_array_get(at(config, "principals"), i), "policy")),
			wanted[i]);
	bad("{'tenants':{'a':{'policy':'nobody'}}}", "/tenants/a/policy", "reference");
}

/* It would never reject anything, and look as if it did. */
Test(config, a_policy_names_rules_that_exist)
{
	own_json *config = good("{'policies':{'a':{'severities':{'py-eval':'high'},"
				"'reject':{'rules':['syntax-error']}}}}");

	cr_expect_not_null(config);
	bad("{'policies':{'a':{'severities':{'py-evl':'high'}}}}",
	    "/policies/a/severities/py-evl", "reference");
	cr_expect_str_eq(faults.list[0].hint, "Did you mean \"py-eval\"?");
	bad("{'policies':{'a':{'reject':{'rules':['py-eval','zz']}}}}",
	    "/policies/a/reject/rules/1", "reference");
	cr_expect(strstr(faults.list[0].hint, "as findings name it") != NULL);
}

#define PRINCIPAL(members) "{'tenants':{'dev':{}},'principals':[{" members "}]}"

Test(config, faults_have_pointers)
{
	bad("{'listen':{'prot':1}}", "/listen/prot", "additionalProperties");
	bad("{'foo':1}", "/foo", "additionalProperties");
	bad("{'listen':{'port':65536}}", "/listen/port", "maximum");
	bad("{'listen':{'address':'local host'}}", "/listen/address", "pattern");
	bad("{'database':'../x'}", "/database", "pattern");
	bad("{'tenants':{'a b':{}}}", "/tenants/a b", "pattern");
	bad("{'tenants':{'dev':{'ceilings':{'wall_ms':9}}}}", "/tenants/dev/ceilings/wall_ms",
	    "minimum");
	bad("{'isolation':{'layers_required':['moat']}}", "/isolation/layers_required/0",
	    "enum");
	bad("{'runtimes':{'python':{'pool_low':9,'pool_high':8}}}", "/runtimes/python/pool_low",
	    "order");
	bad("{'pool':{'workers_max':4},'runtimes':{'bash':{'pool_high':5}}}",
	    "/runtimes/bash/pool_high", "order");
	bad("{'pool':{'workers_max':4},'runtimes':{'bash':{'pool_low':5}}}",
	    "/runtimes/bash/pool_low", "order");
	bad("{'runtimes':{'Py':{}}}", "/runtimes/Py", "pattern");
	bad(PRINCIPAL("'spiffe':'spiffe://a/b','tenant':'nix','roles':['executor']"),
	    "/principals/0/tenant", "reference");
	bad(PRINCIPAL("'dns':'a.b','tenant':'dev','roles':['executor'],'policy':'x'"),
	    "/principals/0/policy", "reference");
	json_decref(good(PRINCIPAL("'dns':'a.b','tenant':'dev','roles':['executor'],"
				   "'policy':'strict'")));
	bad(PRINCIPAL("'tenant':'dev','roles':['executor']"), "/principals/0", "oneOf");
	bad(PRINCIPAL("'cn':'a','dns':'b','tenant':'dev','roles':['executor']"),
	    "/principals/0", "oneOf");
	bad(PRINCIPAL("'cn':'a','tenant':'dev','roles':[]"), "/principals/0/roles", "minItems");
	bad(PRINCIPAL("'cn':'a','tenant':'dev','roles':['executor','executor']"),
	    "/principals/0/roles/1", "uniqueItems");
	bad(PRINCIPAL("'spiffe':'spiffe://a/b*','tenant':'dev','roles':['executor']"),
	    "/principals/0/spiffe", "wildcard");
	bad(PRINCIPAL("'spiffe':'spiffe://a/*/*','tenant':'dev','roles':['executor']"),
	    "/principals/0/spiffe", "wildcard");
	bad(PRINCIPAL("'dns':'*.*.org','tenant':'dev','roles':['executor']"),
	    "/principals/0/dns", "wildcard");
	bad("{'a':1,'a':2}", "/a", "json-duplicate-key");
#ifndef CASEMATE_TEST_BUILD
	bad("{'isolation':{'layers_disabled':['seccomp']}}", "/isolation/layers_disabled",
	    "test-build");
#else
	json_decref(good("{'isolation':{'layers_disabled':['seccomp']}}"));
#endif
}

/* --- the API description ----------------------------------------------------------------- */

static const json_t *follow(const json_t *document, const char *pointer)
{
	char path[400];
	char *rest = path;
	const char *key;

	(void)snprintf(path, sizeof(path), "%s", pointer + 2);
	while ((key = strsep(&rest, "/")) != NULL)
		document = json_object_get(document, key);
	return document;
}

static void check_references(const json_t *document, json_t *value, size_t *count)
{
	const char *target = json_string_value(json_object_get(value, "$ref"));
	const char *key;
	size_t index;
	json_t *inner;

	if (target != NULL) {
		cr_expect(strncmp(target, "#/components/", 13) == 0, "%s", target);
		cr_expect(follow(document, target) != NULL, "%s points to nothing", target);
		++*count;
	}
	json_array_foreach(value, index, inner) check_references(document, inner, count);
	json_object_foreach(value, key, inner) check_references(document, inner, count);
}

Test(openapi, is_whole)
{
	own_json *document = NULL;
	struct err err = {0};
	size_t count = 0;
	const char *path;
	json_t *item;

	cr_assert_eq(openapi_make(support_catalog(), &document, &err), 0);
	cr_expect_str_eq(json_string_value(json_object_get(document, "openapi")), "3.1.0");
	check_references(document, document, &count);
	cr_expect(count > 100, "%zu references", count);
	json_object_foreach(json_object_get(document, "paths"), path, item)
		cr_expect_eq(json_object_size(item), 1, "%s", path);
	cr_expect_eq(json_object_size(json_object_get(document, "paths")), 10);
	cr_expect(follow(document, "#/components/responses/Problem422") != NULL);
	cr_expect(follow(document, "#/components/responses/Problem503/headers/Retry-After") !=
		  NULL);
}
