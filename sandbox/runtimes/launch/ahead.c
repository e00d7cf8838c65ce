#include "sandbox/runtimes/launch/ahead.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memfd.h"
#include "sandbox/runtimes/launch/answer.h"
#include "sandbox/runtimes/launch/program.h"

#define LINK_FD 62 /* beside the channel (worker.c), out of the way of the program */

/* What is on its way to the program. */
struct parcel {
	char bytes[16384];
	size_t length;
	int status; /* the first failure stays */
};

static int wait_until_ready(struct err *err)
{
	struct pollfd wait = {.fd = LINK_FD, .events = POLLIN};
	char said = '\0';

	if (poll(&wait, 1, PROGRAM_START_MS) != 1 || recv(LINK_FD, &said, 1, 0) != 1 ||
	    said != 'R')
		return program_gone("or did not say that it is ready", err);
	return 0;
}

int ahead_start(char *const *argv, char *const *variables, struct err *err)
{
	own_fd ours = -1;
	own_fd theirs = -1;
	int ends[2];
	int status;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return err_errno(err, errno, "socketpair");
	ours = ends[0];
	theirs = ends[1];
	if (dup3(ours, LINK_FD, O_CLOEXEC) != LINK_FD)
		return err_errno(err, errno, "place descriptor %d", LINK_FD);
	status = program_start(argv, variables, theirs, err);
	if (status < 0)
		return status;
	fd_drop(&theirs);
	return wait_until_ready(err);
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

/* Until it is dead, or has said its exit status. Its death interrupts only the wait, where it
 * is let through, so none is missed. Returns whether it is dead. */
static bool wait_for_end(struct answer *answer)
{
	struct pollfd wait = {.fd = LINK_FD, .events = POLLIN};
	sigset_t but_death;

	(void)sigfillset(&but_death);
	(void)sigdelset(&but_death, SIGCHLD);
	while (!program_has_ended(false)) {
		take_answer(answer);
		/* It has said all: nobody needs to see it end, which for a large interpreter
		 * takes the kernel milliseconds. */
		if (answer_status(answer) >= 0)
			return false;
		(void)ppoll(&wait, answer->is_over ? 0 : 1, NULL, &but_death);
	}
	take_answer(answer);
	return true;
}

void ahead_run(const struct words *words, const char *code, size_t length, struct job_end *ret)
{
	static struct parcel parcel;
	static struct answer answer;
	bool is_dead;

	program_shield();
	put_list(&parcel, words->arguments, words->argument_count);
	put_list(&parcel, words->variables, words->variable_count);
	put_number(&parcel, length);
	put(&parcel, code, length);
	flush(&parcel);
	/* One that died before it had read everything says so by its end. */
	is_dead = wait_for_end(&answer);
	ret->report = answer_report(&answer, &ret->report_length);
	if (is_dead)
		program_tell_end(ret);
	else
		ret->status = answer_status(&answer);
}
