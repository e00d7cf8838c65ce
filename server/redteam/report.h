/*
 * server/redteam/report.h - what the probes saw, for people and for programs.
 */
#ifndef SERVER_REDTEAM_REPORT_H
#define SERVER_REDTEAM_REPORT_H

#include <stdbool.h>

#include "server/redteam/attack.h"

struct report {
	bool is_json;
	struct buf out; /* JSON: printed at the end, so that it is whole or not at all */
	bool has_entries;
	unsigned held, escaped, untold; /* probes */
};

void report_init(struct report *report, bool is_json);
void report_done(struct report *report);

/* One line of the table as soon as it is known, or one entry of the list. */
void report_add(struct report *report, const struct probe *probe,
		const struct verdict *verdict);

/* Prints the end; the exit code. */
nodiscard int report_end(struct report *report);

#endif
