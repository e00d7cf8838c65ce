/*
 * casemate-gate: reads HTTP from callers whose certificate the front has verified, asks the
 * ledger, answers. Started by the supervisor with its channel as descriptor 3. Trusts the
 * supervisor; checks everything that comes from the front and the ledger; believes nothing a
 * caller says.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "server/gate/gate.h"

static int run(struct err *err)
{
	static struct gate gate;
	int status = gate_init(&gate, err);

	if (status == 0)
		status = setup_open(&gate, SETUP_FD, err);
	return status == 0 ? loop_run(&gate.loop, err) : status;
}

int main(int argc, char **argv)
{
	struct err err = {0};

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("casemate-gate " CASEMATE_VERSION);
		return 0;
	}
	log_init("gate", LOG_INFO);
	if (argc > 1 || fcntl(SETUP_FD, F_GETFD) < 0) {
		fputs("casemate-gate is started by casemate serve\n", stderr);
		return 2;
	}
	(void)fcntl(SETUP_FD, F_SETFD, FD_CLOEXEC);
	(void)fcntl(SETUP_FD, F_SETFL, O_NONBLOCK);
	(void)signal(SIGPIPE, SIG_IGN);
	/* Ctrl-C reaches the whole process group; the supervisor decides when the gate ends. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	if (run(&err) < 0) {
		log_event(LOG_ERROR, "failed", LOG_STR("error", err.text));
		return 1;
	}
	return 0;
}
