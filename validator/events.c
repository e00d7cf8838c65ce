#include "validator/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int events_take(struct event_list *events, const struct bundle_entry *entry)
{
	if (events->count == EVENTS_TOLD_MAX ||
	    event_decode(entry->data, entry->length, &events->list[events->count], NULL) < 0)
		return -EBADMSG;
	events->count++;
	return 0;
}

static const char *text_of(const json_t *denial, const char *member)
{
	return json_string_value(json_object_get(denial, member));
}

static uint64_t number_of(const json_t *denial, const char *member)
{
	return (uint64_t)json_number_value(json_object_get(denial, member));
}

static void take_denial(struct event *event, const json_t *denial)
{
	const char *kind = text_of(denial, "kind");
	const char *name = text_of(denial, "name");
	const char *policy = text_of(denial, "policy");
	const char *entry = text_of(denial, "entry");

	*event = (struct event){.kind = EVENT_POLICY,
				.severity = (uint8_t)event_kind_severity(EVENT_POLICY),
				.count = number_of(denial, "count"),
				.first_us = number_of(denial, "first_us")};
	(void)snprintf(event->target, sizeof(event->target), "the %s %s", kind, name);
	if (entry != NULL)
		(void)snprintf(event->detail, sizeof(event->detail),
			       "the %s %s: policy %s denies %s", kind, name, policy, entry);
	else
		(void)snprintf(event->detail, sizeof(event->detail),
			       "the %s %s: no list of policy %s allows it", kind, name, policy);
}

uint64_t events_take_denials(struct event_list *events, const struct report *report)
{
	uint64_t all = report->denials_dropped;
	size_t index;
	const json_t *denial;

	json_array_foreach(report->denials, index, denial)
	{
		struct event *event = &events->list[events->count++];

		take_denial(event, denial);
		all += event->count;
	}
	if (report->denials_dropped > 0)
		events->list[events->count++] = (struct event){
			.kind = EVENT_POLICY,
			.severity = (uint8_t)event_kind_severity(EVENT_POLICY),
			.is_rest = 1,
			.count = report->denials_dropped,
			.detail = "more than are listed",
			.target = "these names",
		};
	return all;
}

/* The hint with the target in its place. */
static void hint_text(const struct event *event, char *ret, size_t size)
{
	const char *hint = event_kind_hint(event->kind);
	const char *place = strstr(hint, "%s");
	bool is_network = event->kind == EVENT_NETWORK;

	if (place == NULL) {
		(void)snprintf(ret, size, "%s", hint);
		return;
	}
	(void)snprintf(ret, size, "%.*s%s%s%s", (int)(place - hint), hint,
		       is_network && event->target[0] != '\0' ? " to " : "", event->target,
		       place + 2);
}

static void write_detail(struct jsonw *json, const struct event *event)
{
	char text[LIMIT_EVENT_CALL_BYTES + LIMIT_EVENT_TEXT_BYTES + 8];
	const char *mark = event->call[0] != '\0' && event->detail[0] != '\0' ? ": " : "";

	(void)snprintf(text, sizeof(text), "%s%s%s", event->call, mark, event->detail);
	jsonw_key_str(json, "detail", text);
}

static void key_text(struct jsonw *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	if (text[0] != '\0')
		jsonw_str(json, text);
	else
		jsonw_null(json);
}

static void key_id(struct jsonw *json, const char *key, uint32_t id)
{
	jsonw_key(json, key);
	if (id != 0)
		jsonw_u64(json, id);
	else
		jsonw_null(json);
}

static void write_event(struct jsonw *json, const struct event *event)
{
	char hint[1024];
	char ms[32];

	hint_text(event, hint, sizeof(hint));
	(void)snprintf(ms, sizeof(ms), "%" PRIu64 ".%03" PRIu64, event->first_us / 1000,
		       event->first_us % 1000);
	jsonw_object_open(json);
	jsonw_key_str(json, "kind", event_kind_name(event->kind));
	jsonw_key_str(json, "severity", event_severity_name(event->severity));
	write_detail(json, event);
	jsonw_key_u64(json, "count", event->count);
	key_text(json, "hint", hint);
	key_text(json, "syscall", event->call);
	key_text(json, "target", event->target);
	jsonw_key(json, "first_ms");
	jsonw_raw(json, ms, strlen(ms));
	key_id(json, "pid", event->pid);
	key_id(json, "tid", event->tid);
	jsonw_object_close(json);
}

void events_write(struct jsonw *json, const struct event_list *events)
{
	uint64_t dropped = 0;

	jsonw_key(json, "events");
	jsonw_array_open(json);
	for (size_t i = 0; i < events->count; i++) {
		write_event(json, &events->list[i]);
		dropped += events->list[i].is_rest ? events->list[i].count : 0;
	}
	jsonw_array_close(json);
	jsonw_key_u64(json, "events_dropped", dropped);
}
