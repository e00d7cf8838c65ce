#include "validator/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

#define HINT_BYTES_MAX 1024 /* the longest text and the longest target have half of it */

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

/* What can be asked for by name. Of the network's targets that is an internet address which
 * something was to be sent to: no local socket, name of a family or address to listen at. */
static const char *target_to_ask_for(const struct event *event)
{
	bool sends = strcmp(event->call, "connect") == 0 || strcmp(event->call, "sendto") == 0;

	if (event->kind != EVENT_NETWORK || (sends && strchr(event->target, ':') != NULL &&
					     strncmp(event->target, "unix:", 5) != 0))
		return event->target;
	return "";
}

/* The hint with the target in its place. */
static void put_hint(const struct event *event, struct buf *ret)
{
	const char *target = target_to_ask_for(event);

	for (const char *at = event_kind_hint(event->kind); *at != '\0'; at++) {
		if (*at == '[' && target[0] == '\0') {
			at = strchr(at, ']');
		} else if (*at == '%') {
			buf_add_str(ret, target);
			at++;
		} else if (*at != '[' && *at != ']') {
			buf_add_char(ret, *at);
		}
	}
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
	own_buf hint;
	char ms[32];

	buf_init(&hint, HINT_BYTES_MAX);
	put_hint(event, &hint);
	(void)snprintf(ms, sizeof(ms), "%" PRIu64 ".%03" PRIu64, event->first_us / 1000,
		       event->first_us % 1000);
	jsonw_object_open(json);
	jsonw_key_str(json, "kind", event_kind_name(event->kind));
	jsonw_key_str(json, "severity", event_severity_name(event->severity));
	write_detail(json, event);
	jsonw_key_u64(json, "count", event->count);
	key_text(json, "hint", hint.data != NULL ? hint.data : "");
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
