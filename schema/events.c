#include "schema/events.h"

#include <stddef.h>

#include "base/own.h"

WIRE_DEFINE(event, EVENT_FIELDS)

static const char *const severity_names[] = {
#define X(symbol, name, meaning) (name),
	EVENT_SEVERITY_LIST(X)
#undef X
};

static const struct {
	const char *name;
	const char *meaning;
	const char *hint;
	enum event_severity severity;
} kinds[EVENT_KINDS] = {
#define X(symbol, name, severity, meaning, hint) \
	{(name), (meaning), (hint), SEVERITY_##severity},
	EVENT_KIND_LIST(X)
#undef X
};

const char *event_severity_name(unsigned severity)
{
	return severity < ARRAY_COUNT(severity_names) ? severity_names[severity] : "unknown";
}

const char *event_kind_name(unsigned kind)
{
	return kind < EVENT_KINDS ? kinds[kind].name : "unknown";
}

const char *event_kind_meaning(unsigned kind)
{
	return kind < EVENT_KINDS ? kinds[kind].meaning : "";
}

const char *event_kind_hint(unsigned kind)
{
	return kind < EVENT_KINDS ? kinds[kind].hint : "";
}

enum event_severity event_kind_severity(unsigned kind)
{
	return kind < EVENT_KINDS ? kinds[kind].severity : SEVERITY_HIGH;
}
