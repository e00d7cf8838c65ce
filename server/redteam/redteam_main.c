/*
 * server/redteam/redteam_main.c - casemate-redteam, an attacker for operators: a client of the
 * service that runs with its caller's rights and certificate, and tells what held.
 *
 * It trusts its caller and its own probes, and nothing that the service or a job says: that is
 * text to be compared and printed as plain ASCII.
 */
#include <signal.h>
#include <string.h>

#include "server/redteam/attack.h"
#include "server/redteam/mutate.h"
#include "server/redteam/options.h"
#include "server/redteam/report.h"

#define EXIT_UNUSABLE 2

static struct probes probes;

static bool is_wanted(const struct options *options, const struct probe *probe)
{
	return strncmp(probe->id, options->only, strlen(options->only)) == 0;
}

static int list(const struct options *options)
{
	for (size_t i = 0; i < probes.count; i++)
		if (is_wanted(options, &probes.list[i]))
			(void)printf("%-38s %-15s %s\n", probes.list[i].id,
				     probes.list[i].family, probes.list[i].tries);
	return 0;
}

/* Negative: the service cannot be reached, so nothing can be told. */
static int attack_all(struct target *target, const struct options *options,
		      struct report *report, struct err *err)
{
	for (size_t i = 0; i < probes.count; i++) {
		struct verdict verdict;
		int status;

		if (!is_wanted(options, &probes.list[i]))
			continue;
		status = attack(target, &probes.list[i], &verdict, err);
		if (status < 0)
			return err_prefix(err, "%s", probes.list[i].id);
		report_add(report, &probes.list[i], &verdict);
	}
	return 0;
}

static int run(const struct options *options, struct err *err)
{
	static struct target target;
	struct report report;
	int status = target_open(&target, &options->place, &probes, 0, err);

	if (status < 0)
		return status;
	if (!target.host.is_here)
		(void)fprintf(stderr, "casemate redteam: the service is on another host, in a "
				      "place of its own, or another user's, so there are no "
				      "witnesses; probes that need them are left out\n");
	report_init(&report, options->is_json);
	status = attack_all(&target, options, &report, err);
	if (status == 0)
		status = report_end(&report);
	report_done(&report);
	target_close(&target);
	return status;
}

static int start(const struct options *options, struct err *err)
{
	int status;

	status = probes_load(options->probes, &probes, err);

	if (status < 0)
		return status;
	if (options->is_listing)
		return list(options);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, EIO, "libcurl cannot start");
	if (options->is_mutating)
		status = mutate(options, &probes, err);
	else if (options->is_proving)
		status = prove(options, &probes, err);
	else
		status = run(options, err);
	curl_global_cleanup();
	return status;
}

static void interrupt(int number)
{
	(void)number;
	attack_is_interrupted = 1;
}

int main(int argc, char **argv)
{
	static struct options options;
	struct err err = {0};
	int status = options_parse(&options, argc, argv, &err);

	(void)signal(SIGINT, interrupt);
	(void)signal(SIGTERM, interrupt);
	(void)signal(SIGHUP, interrupt);
	/* Who reads no more is told by a failing write, so that witnesses are put away. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (status > 0)
		return 0;
	if (status == 0)
		status = start(&options, &err);
	probes_done(&probes);
	if (status < 0) {
		(void)fprintf(stderr, "casemate redteam: %s\n", err.text);
		return EXIT_UNUSABLE;
	}
	return status;
}
