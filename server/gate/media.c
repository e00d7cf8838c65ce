#include "server/gate/media.h"

/* True unless `q` says 0. RFC 9110 section 12.4.2: 0 to 1, at most three decimals. */
static bool weight_parse(struct text q, bool *ret_wanted)
{
	bool wanted;

	if (q.length == 0 || q.length > 5 || (q.data[0] != '0' && q.data[0] != '1') ||
	    (q.length > 1 && q.data[1] != '.'))
		return false;
	wanted = q.data[0] == '1';
	for (size_t i = 2; i < q.length; i++) {
		if (!char_is_digit(q.data[i]))
			return false;
		if (q.data[0] == '1' && q.data[i] != '0')
			return false;
		wanted = wanted || q.data[i] != '0';
	}
	*ret_wanted = wanted;
	return true;
}

/* Cuts "name=value" in two; quotes around the value go. */
static bool parameter_split(struct text parameter, struct text *ret_name,
			    struct text *ret_value)
{
	for (size_t i = 0; i < parameter.length; i++) {
		struct text value;

		if (parameter.data[i] != '=')
			continue;
		*ret_name = (struct text){parameter.data, i};
		value = (struct text){parameter.data + i + 1, parameter.length - i - 1};
		if (value.length >= 2 && value.data[0] == '"' &&
		    value.data[value.length - 1] == '"')
			value = (struct text){value.data + 1, value.length - 2};
		*ret_value = value;
		return true;
	}
	return false;
}

static void consider(unsigned rank, bool wanted, unsigned *best, bool *best_wanted)
{
	if (rank > *best) {
		*best = rank;
		*best_wanted = wanted;
	} else if (rank == *best && rank > 0) {
		*best_wanted = *best_wanted || wanted;
	}
}

static void add_range(struct media_accept *accept, struct text range, bool wanted)
{
	unsigned rank = 0;

	if (text_is(range, "*/*"))
		rank = 1;
	else if (text_is_caseless(range, "application/*"))
		rank = 2;
	consider(text_is_caseless(range, "application/json") ? 3 : rank, wanted,
		 &accept->json_rank, &accept->json_wanted);
	consider(text_is_caseless(range, "application/problem+json") ? 3 : rank, wanted,
		 &accept->problem_rank, &accept->problem_wanted);
}

static bool is_media_range(struct text range)
{
	for (size_t i = 0; i < range.length; i++)
		if (range.data[i] == '/')
			return text_is_token((struct text){range.data, i}) &&
			       text_is_token(
				       (struct text){range.data + i + 1, range.length - i - 1});
	return false;
}

void media_accept_add(struct media_accept *accept, struct text value)
{
	struct text element;

	while (text_next(&value, ',', &element)) {
		bool wanted = true;
		bool is_good = true;
		struct text range;
		struct text parameter;
		struct text name;
		struct text weight;

		if (!text_next(&element, ';', &range) || !is_media_range(range))
			continue;
		while (text_next(&element, ';', &parameter))
			if (parameter_split(parameter, &name, &weight) &&
			    text_is_caseless(name, "q"))
				is_good = weight_parse(weight, &wanted);
		if (!is_good)
			continue;
		accept->has_range = true;
		add_range(accept, range, wanted);
	}
}

bool media_accept_allows_json(const struct media_accept *accept)
{
	if (!accept->has_range)
		return true;
	/* What is said about application/json counts; only if nothing is, may the other name
	 * do. */
	return accept->json_rank > 0 ? accept->json_wanted : accept->problem_wanted;
}

bool media_is_json(struct text content_type)
{
	struct text type;
	struct text parameter;
	struct text name;
	struct text value;

	if (!text_next(&content_type, ';', &type) ||
	    !text_is_caseless(type, "application/json"))
		return false;
	while (text_next(&content_type, ';', &parameter)) {
		if (parameter.length == 0)
			continue;
		if (!parameter_split(parameter, &name, &value))
			return false;
		if (text_is_caseless(name, "charset") && !text_is_caseless(value, "utf-8"))
			return false;
	}
	return true;
}
