#include "server/ledger/principal.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

TestSuite(principal, .timeout = 10);

struct match_case {
	uint8_t kind;
	char pattern[64];
	char identity[64];
	int matches;
};

ParameterizedTestParameters(principal, matches_exactly_what_it_says)
{
	static struct match_case cases[] = {
		{IDENTITY_SPIFFE, "spiffe://td/a", "spiffe://td/a", 1},
		{IDENTITY_SPIFFE, "spiffe://td/a", "spiffe://td/ab", 0},
		{IDENTITY_SPIFFE, "spiffe://td/a", "spiffe://td/A", 0},
		{IDENTITY_SPIFFE, "spiffe://td/*", "spiffe://td/a", 1},
		{IDENTITY_SPIFFE, "spiffe://td/*", "spiffe://td/", 0},
		{IDENTITY_SPIFFE, "spiffe://td/*", "spiffe://td", 0},
		{IDENTITY_SPIFFE, "spiffe://td/*", "spiffe://td/a/b", 0},
		{IDENTITY_SPIFFE, "spiffe://td/*", "spiffe://td2/a", 0},
		{IDENTITY_SPIFFE, "spiffe://td/*/x", "spiffe://td/a/x", 1},
		{IDENTITY_SPIFFE, "spiffe://td/*/x", "spiffe://td/a/y", 0},
		{IDENTITY_SPIFFE, "spiffe://td/*/x", "spiffe://td//x", 0},
		{IDENTITY_SPIFFE, "spiffe://td/*/x", "spiffe://td/a/b/x", 0},
		{IDENTITY_DNS, "*.example.org", "a.example.org", 1},
		{IDENTITY_DNS, "*.example.org", "A.EXAMPLE.Org", 1},
		{IDENTITY_DNS, "*.example.org", "a.b.example.org", 0},
		{IDENTITY_DNS, "*.example.org", "example.org", 0},
		{IDENTITY_DNS, "*.example.org", ".example.org", 0},
		{IDENTITY_DNS, "a.*.org", "a.b.org", 1},
		{IDENTITY_DNS, "a.*.org", "a.b.orgs", 0},
		{IDENTITY_DNS, "a.example.org", "A.example.org", 1},
		{IDENTITY_CN, "bob", "bob", 1},
		{IDENTITY_CN, "bob", "Bob", 0},
		{IDENTITY_CN, "*", "bob", 1},
		{IDENTITY_CN, "*", "bob.smith", 0},
		{IDENTITY_CN, "*", "", 0},
	};

	return cr_make_param_array(struct match_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct match_case *row, principal, matches_exactly_what_it_says)
{
	struct err err = {0};

	cr_assert(eq(int, principal_check(row->kind, row->pattern, &err), 0));
	cr_assert(eq(int, principal_matches(row->kind, row->pattern, row->identity),
		     row->matches));
}

struct bad_case {
	uint8_t kind;
	char pattern[64];
};

ParameterizedTestParameters(principal, refuses_other_wildcards)
{
	static struct bad_case cases[] = {
		{IDENTITY_SPIFFE, "spiffe://*"},
		{IDENTITY_SPIFFE, "spiffe://*/a"},
		{IDENTITY_SPIFFE, "spiffe://t*d/a"},
		{IDENTITY_SPIFFE, "spiffe://td/a*"},
		{IDENTITY_SPIFFE, "spiffe://td/*a"},
		{IDENTITY_SPIFFE, "spiffe://td/*/*"},
		{IDENTITY_SPIFFE, "spiffe://td/**"},
		{IDENTITY_SPIFFE, "https://td/a"},
		{IDENTITY_DNS, "*.*.org"},
		{IDENTITY_DNS, "a*.org"},
		{IDENTITY_CN, "b*b"},
	};

	return cr_make_param_array(struct bad_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct bad_case *row, principal, refuses_other_wildcards)
{
	struct err err = {0};

	cr_assert(eq(int, principal_check(row->kind, row->pattern, &err), -EINVAL));
	cr_assert(gt(sz, strlen(err.text), 0));
}
