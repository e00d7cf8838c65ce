#include "sandbox/runtimes/launch/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/memfd.h"

/* Beside the channel (worker.c): out of the way of what the program opens. */
#define STDIN_MEMFD 61
#define THEIR_LINK  3

/* Exit status of a child that could not become the program, as of a shell. */
#define EXIT_NOT_STARTED 127

static pid_t program; /* 0: none is there */
static int how;	      /* it ended, as waitpid(2) says */

int program_prepare(struct err *err)
{
	own_fd from = -1;
	int fd;
	int status = memfd_new("stdin", &fd, err);

	if (status < 0)
		return status;
	from = fd;
	if (dup3(from, STDIN_MEMFD, O_CLOEXEC) != STDIN_MEMFD)
		return err_errno(err, errno, "place descriptor %d", STDIN_MEMFD);
	return 0;
}

static _Noreturn void become(int link_fd, char *const *argv, char *const *variables)
{
	/* Or a signal that the job sends to its own group would reach the worker. */
	if (setsid() < 0 || dup2(STDIN_MEMFD, STDIN_FILENO) < 0)
		_exit(EXIT_NOT_STARTED);
	/* The link may be 3 already; then it only loses its close-on-exec. */
	if (link_fd == THEIR_LINK && fcntl(THEIR_LINK, F_SETFD, 0) != 0)
		_exit(EXIT_NOT_STARTED);
	if (link_fd >= 0 && link_fd != THEIR_LINK && dup2(link_fd, THEIR_LINK) != THEIR_LINK)
		_exit(EXIT_NOT_STARTED);
	(void)execve(argv[0], argv, variables);
	_exit(EXIT_NOT_STARTED);
}

int program_start(char *const *argv, char *const *variables, int link_fd, struct err *err)
{
	program = fork();
	if (program == 0)
		become(link_fd, argv, variables);
	return program < 0 ? err_errno(err, errno, "fork %s", argv[0]) : 0;
}

int program_take_stdin(int fd, struct err *err)
{
	static char piece[65536];
	off_t at = 0;
	ssize_t got;

	while ((got = pread(fd, piece, sizeof(piece), at)) > 0) {
		/* A memory file takes all of it, or none for want of memory. */
		if (pwrite(STDIN_MEMFD, piece, (size_t)got, at) != got)
			return err_errno(err, errno, "copy standard input");
		at += got;
	}
	return got < 0 ? err_errno(err, errno, "read standard input") : 0;
}

int program_gone(const char *when, struct err *err)
{
	/* It may have ended, and been noticed, already. */
	if (program != 0) {
		(void)kill(program, SIGKILL);
		(void)program_has_ended(true);
	}
	return err_set(err, ECHILD, "the program ended %s (%s %d)", when,
		       WIFEXITED(how) ? "exit code" : "signal",
		       WIFEXITED(how) ? WEXITSTATUS(how) : WTERMSIG(how));
}

static void note_death(int number)
{
	(void)number; /* it is there to interrupt a wait */
}

void program_shield(void)
{
	sigset_t all;

	(void)signal(SIGCHLD, note_death);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
}

bool program_has_ended(bool is_to_wait)
{
	pid_t ended;

	if (program == 0)
		return true;
	do
		ended = waitpid(program, &how, is_to_wait ? 0 : WNOHANG);
	while (ended < 0 && errno == EINTR);
	if (ended != 0)
		program = 0;
	return program == 0;
}

void program_tell_end(struct job_end *ret)
{
	if (WIFSIGNALED(how))
		ret->signal = WTERMSIG(how);
	else
		ret->status = WEXITSTATUS(how);
}
