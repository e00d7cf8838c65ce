#include <stdarg.h>
#include <sys/wait.h>

#include "sandbox/doctor/doctor.h"
#include "sandbox/layers/userns.h"

#define TRIAL_UID_COUNT 1024u /* as many uids as a small service has */

int enter_user_namespace(struct err *err)
{
	return geteuid() == 0 ? userns_enter(TRIAL_UID_FIRST, TRIAL_UID_COUNT, err)
			      : userns_enter(0, 0, err);
}

void answer(struct finding *finding, enum answer answer, const char *format, ...)
{
	va_list args;

	finding->answer = answer;
	va_start(args, format);
	(void)vsnprintf(finding->detail, sizeof(finding->detail), format, args);
	va_end(args);
}

static _Noreturn void run_child(int (*act)(struct err *err), int report_fd)
{
	struct err err = {0};
	int status = act(&err);

	if (status < 0 && write(report_fd, err.text, strlen(err.text)) < 0)
		_exit(2);
	_exit(status < 0 ? 1 : 0);
}

void try_in_child(int (*act)(struct err *err), struct finding *finding)
{
	char text[ERR_TEXT_MAX] = {0};
	int report[2];
	int how = 0;
	pid_t pid;

	if (pipe(report) != 0) {
		answer(finding, ANSWER_MISSING, "no pipe: %s", strerror(errno));
		return;
	}
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		run_child(act, report[1]);
	(void)close(report[1]);
	/* A child that dies says nothing, and that is an answer. */
	if (read(report[0], text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	(void)close(report[0]);
	if (pid < 0 || waitpid(pid, &how, 0) != pid)
		answer(finding, ANSWER_MISSING, "no child: %s", strerror(errno));
	else if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
		finding->answer = ANSWER_USABLE;
	else if (WIFSIGNALED(how))
		answer(finding, ANSWER_MISSING, "the trial died by signal %d", WTERMSIG(how));
	else
		answer(finding, ANSWER_MISSING, "%s", text);
}
