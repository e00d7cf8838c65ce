#include "sandbox/runtimes/launch/ahead.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/memfd.h"
#include "sandbox/runtimes/launch/answer.h"

/* Beside the channel (worker.c): out of the way of what the program opens. */
#define STDIN_MEMFD 61
#define LINK_FD	    62
#define THEIR_FD    3

#define START_MS 9000 /* the warden waits ten seconds for a worker */

/* Exit status of a child that could not become the program, as of a shell. */
#define EXIT_NOT_STARTED 127

static pid_t program; /* 0: none is there */

/* What is on its way to the program. */
struct parcel {
	char bytes[16384];
	size_t length;
	int status; /* the first failure stays */
};

static int move_to(int take_fd, int place, struct err *err)
{
	own_fd from = take_fd;

	if (dup3(from, place, O_CLOEXEC) != place)
		return err_errno(err, errno, "place descriptor %d", place);
	return 0;
}

int ahead_prepare(struct err *err)
{
	int fd;
	int status = memfd_new("stdin", &fd, err);

	return status < 0 ? status : move_to(fd, STDIN_MEMFD, err);
}

static _Noreturn void become(int link_fd, char *const *argv, char *const *variables)
{
	/* In this order: the link may be 3 already, which only loses its close-on-exec. */
	if (dup2(STDIN_MEMFD, STDIN_FILENO) < 0)
		_exit(EXIT_NOT_STARTED);
	if (link_fd == THEIR_FD ? fcntl(THEIR_FD, F_SETFD, 0) != 0
				: dup2(link_fd, THEIR_FD) != THEIR_FD)
		_exit(EXIT_NOT_STARTED);
	(void)execve(argv[0], argv, variables);
	_exit(EXIT_NOT_STARTED);
}

static int gone(const char *when, struct err *err)
{
	int how = 0;

	(void)kill(program, SIGKILL);
	(void)waitpid(program, &how, 0);
	program = 0;
	return err_set(err, ECHILD, "the program ended %s (%s %d)", when,
		       WIFEXITED(how) ? "exit code" : "signal",
		       WIFEXITED(how) ? WEXITSTATUS(how) : WTERMSIG(how));
}

static int wait_until_ready(struct err *err)
{
	struct pollfd wait = {.fd = LINK_FD, .events = POLLIN};
	char said = '\0';

	if (poll(&wait, 1, START_MS) != 1 || recv(LINK_FD, &said, 1, 0) != 1 || said != 'R')
		return gone("or did not say that it is ready", err);
	return 0;
}

int ahead_start(char *const *argv, char *const *variables, struct err *err)
{
	own_fd theirs = -1;
	int ends[2];
	int status;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return err_errno(err, errno, "socketpair");
	theirs = ends[1];
	status = move_to(ends[0], LINK_FD, err);
	if (status < 0)
		return status;
	program = fork();
	if (program == 0)
		become(theirs, argv, variables);
	if (program < 0)
		return err_errno(err, errno, "fork %s", argv[0]);
	fd_drop(&theirs);
	return wait_until_ready(err);
}

int ahead_take_stdin(int fd, struct err *err)
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

static void send_all(struct parcel *parcel, const char *data, size_t length)
{
	while (length > 0 && parcel->status == 0) {
		ssize_t sent = send(LINK_FD, data, length, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			parcel->status = -errno;
		if (sent > 0) {
			data += sent;
			length -= (size_t)sent;
		}
	}
}

static void flush(struct parcel *parcel)
{
	send_all(parcel, parcel->bytes, parcel->length);
	parcel->length = 0;
}

static void put(struct parcel *parcel, const char *data, size_t length)
{
	if (parcel->length + length > sizeof(parcel->bytes))
		flush(parcel);
	if (length > sizeof(parcel->bytes)) {
		send_all(parcel, data, length);
		return;
	}
	memcpy(parcel->bytes + parcel->length, data, length);
	parcel->length += length;
}

static void put_number(struct parcel *parcel, size_t number)
{
	const char bytes[4] = {(char)(number & 0xff), (char)(number >> 8 & 0xff),
			       (char)(number >> 16 & 0xff), (char)(number >> 24 & 0xff)};

	put(parcel, bytes, sizeof(bytes));
}

static void put_list(struct parcel *parcel, char *const *texts, size_t count)
{
	put_number(parcel, count);
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(texts[i]);

		put_number(parcel, length);
		put(parcel, texts[i], length);
	}
}

/* Takes what lies there; never waits, because a child may keep the socket open. */
static void take_answer(struct answer *answer)
{
	while (answer_room(answer) > 0) {
		ssize_t got = recv(LINK_FD, answer->bytes + answer->length, answer_room(answer),
				   MSG_DONTWAIT);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return;
		answer_took(answer, got > 0 ? (size_t)got : 0);
	}
}

static void note_death(int number)
{
	(void)number; /* it is there to interrupt a wait */
}

/* Until it is dead, or has said its exit status. Its death interrupts only the wait, where it
 * is let through, so none is missed. Returns whether it is dead. */
static bool wait_for_end(struct answer *answer, int *ret_how)
{
	struct pollfd wait = {.fd = LINK_FD, .events = POLLIN};
	sigset_t death;
	sigset_t before;

	(void)signal(SIGCHLD, note_death);
	(void)sigemptyset(&death);
	(void)sigaddset(&death, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &death, &before);
	while (waitpid(program, ret_how, WNOHANG) == 0) {
		take_answer(answer);
		/* It has said all: nobody needs to see it end, which for a large interpreter
		 * takes the kernel milliseconds. */
		if (answer_status(answer) >= 0)
			return false;
		(void)ppoll(&wait, answer->is_over ? 0 : 1, NULL, &before);
	}
	take_answer(answer);
	return true;
}

void ahead_run(const struct words *words, const char *code, size_t length, struct job_end *ret)
{
	static struct parcel parcel;
	static struct answer answer;
	int how = 0;
	bool is_dead;

	put_list(&parcel, words->arguments, words->argument_count);
	put_list(&parcel, words->variables, words->variable_count);
	put_number(&parcel, length);
	put(&parcel, code, length);
	flush(&parcel);
	/* One that died before it had read everything says so by its end. */
	is_dead = wait_for_end(&answer, &how);
	ret->report = answer_report(&answer, &ret->report_length);
	if (!is_dead)
		ret->status = answer_status(&answer);
	else if (WIFSIGNALED(how))
		ret->signal = WTERMSIG(how);
	else
		ret->status = WEXITSTATUS(how);
}
