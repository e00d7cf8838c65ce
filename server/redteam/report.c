#include "server/redteam/report.h"

#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"

/* A thousand probes of some 300 bytes. */
#define JSON_BYTES_MAX (1024 * 1024)

static const char *const words[] = {"held", "ESCAPED", "BROKEN", "-", "absent"};

void report_init(struct report *report, bool is_json)
{
	*report = (struct report){.is_json = is_json};
	buf_init(&report->out, JSON_BYTES_MAX);
	if (is_json)
		buf_add_str(&report->out, "{\"probes\":[");
	else
		(void)printf("%-8s %-38s %-18s %s\n", "VERDICT", "PROBE", "LAYER",
			     "TRIED: SAW");
}

void report_done(struct report *report)
{
	buf_done(&report->out);
}

static void add_entry(struct report *report, const struct probe *probe,
		      const struct verdict *verdict)
{
	struct jsonw json;

	if (report->has_entries)
		buf_add_char(&report->out, ',');
	report->has_entries = true;
	jsonw_init(&json, &report->out);
	jsonw_object_open(&json);
	jsonw_key_str(&json, "id", probe->id);
	jsonw_key_str(&json, "family", probe->family);
	jsonw_key_bool(&json, "held", verdict->end == END_HELD);
	jsonw_key_str(&json, "saw", verdict->saw);
	jsonw_key_str(&json, "layer", verdict->layer);
	jsonw_object_close(&json);
}

void report_add(struct report *report, const struct probe *probe, const struct verdict *verdict)
{
	bool is_told = verdict->end != END_UNWITNESSED && verdict->end != END_LACKING;

	if (!is_told)
		report->untold++;
	else if (verdict->end == END_HELD)
		report->held++;
	else
		report->escaped++;
	if (!report->is_json) {
		(void)printf("%-8s %-38s %-18s %s: %s\n", words[verdict->end], probe->id,
			     verdict->layer, probe->tries, verdict->saw);
		(void)fflush(stdout);
		return;
	}
	/* What could not be tried has neither held nor failed: it is no entry. */
	if (is_told)
		add_entry(report, probe, verdict);
	else
		(void)fprintf(stderr, "casemate redteam: %s not judged: %s\n", probe->id,
			      verdict->end == END_LACKING
				      ? "the service says that it lacks the layer"
				      : verdict->saw);
}

int report_end(struct report *report)
{
	if (report->is_json) {
		buf_add_str(&report->out, "]}\n");
		if (buf_check(&report->out, NULL) < 0)
			return 2;
		(void)fwrite(report->out.data, 1, report->out.length, stdout);
	} else {
		(void)printf("\n%u held, %u did not", report->held, report->escaped);
		if (report->untold > 0)
			(void)printf(", %u not judged (- no witness here, absent: the service "
				     "says that it lacks the layer)",
				     report->untold);
		(void)printf("\n");
	}
	if (fflush(stdout) != 0 || report->held + report->escaped == 0)
		return 2;
	return report->escaped == 0 ? 0 : 1;
}
