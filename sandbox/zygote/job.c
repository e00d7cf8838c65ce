#include "sandbox/zygote/job.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "base/chan.h"
#include "sandbox/zygote/leave.h"
#include "schema/bundle.h"
#include "schema/wire/warden_worker.h"

bool job_path_is_safe(const char *path, size_t length)
{
	size_t start = 0;

	if (length == 0 || length > LIMIT_PATH_BYTES || memchr(path, '\0', length) != NULL)
		return false;
	for (size_t i = 0; i <= length; i++) {
		size_t part = i - start;

		if (i < length && path[i] != '/')
			continue;
		if (part == 0 || part > NAME_MAX || (part == 1 && path[start] == '.') ||
		    (part == 2 && memcmp(path + start, "..", 2) == 0))
			return false;
		start = i + 1;
	}
	return true;
}

static int write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t wrote = write(fd, data, length);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return wrote < 0 ? -errno : -EIO;
		data += wrote;
		length -= (size_t)wrote;
	}
	return 0;
}

/* Part by part instead of openat2(2), which the worker's filter does not know. No job has run
 * here yet, so nothing can change between two parts. */
static int open_parent(int folder_fd, char *path, char **ret_name, struct err *err)
{
	own_fd folder = fcntl(folder_fd, F_DUPFD_CLOEXEC, 3);
	char *name = path;
	char *slash;

	while (folder >= 0 && (slash = strchr(name, '/')) != NULL) {
		int next;

		*slash = '\0';
		if (mkdirat(folder, name, 0755) != 0 && errno != EEXIST)
			return err_errno(err, errno, "make folder %s", path);
		next = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return err_errno(err, errno, "open folder %s", path);
		*slash = '/';
		fd_drop(&folder);
		folder = next;
		name = slash + 1;
	}
	if (folder < 0)
		return err_errno(err, errno, "open the workspace");
	*ret_name = name;
	return fd_take(&folder);
}

int job_file_write(int folder_fd, const char *path, size_t path_length, const char *data,
		   size_t length, struct err *err)
{
	char text[LIMIT_PATH_BYTES + 1];
	own_fd folder = -1;
	own_fd file = -1;
	char *name = NULL;
	int status;

	if (!job_path_is_safe(path, path_length))
		return err_set(err, EINVAL, "input file: unsafe path");
	memcpy(text, path, path_length);
	text[path_length] = '\0';
	folder = open_parent(folder_fd, text, &name, err);
	if (folder < 0)
		return folder;
	file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (file < 0)
		return err_errno(err, errno, "make input file %s", text);
	status = write_all(file, data, length);
	return status < 0 ? err_errno(err, -status, "write input file %s", text) : 0;
}

struct payload {
	const struct zygote_ops *ops;
	const char *code;
	size_t code_length;
	int workspace_fd;
};

static int take_entry(struct payload *payload, const struct bundle_entry *entry,
		      struct err *err)
{
	switch (entry->kind) {
	case BUNDLE_CODE:
		payload->code = entry->data;
		payload->code_length = entry->length;
		return 0;
	case BUNDLE_STDIN:
		return 0; /* comes as a descriptor of its own */
	case BUNDLE_ARG:
		return payload->ops->add_argument(entry->data, entry->length, err);
	case BUNDLE_ENV:
		return payload->ops->add_variable(entry->name, entry->name_length, entry->data,
						  entry->length, err);
	case BUNDLE_FILE:
		return job_file_write(payload->workspace_fd, entry->name, entry->name_length,
				      entry->data, entry->length, err);
	case BUNDLE_GUARD:
		if (payload->ops->take_guard == NULL)
			return err_set(err, ENOTSUP,
				       "this runtime cannot hold to the lists of a policy");
		return payload->ops->take_guard(entry->data, entry->length, err);
	default:
		return err_set(err, EBADMSG, "entry of kind %u in a payload", entry->kind);
	}
}

static int take_payload(struct payload *payload, const struct span *span, struct err *err)
{
	struct bundle_reader reader;
	struct bundle_entry entry;
	int status;

	bundle_reader_init(&reader, span);
	while ((status = bundle_next(&reader, &entry, err)) > 0) {
		status = take_entry(payload, &entry, err);
		if (status < 0)
			return status;
	}
	if (status == 0 && payload->code == NULL)
		return err_set(err, EBADMSG, "payload without code");
	return status;
}

static void send_report(int channel, const struct job_end *end)
{
	/* Not on the stack, whose every page the compiler would touch on the way. */
	static uint8_t body[WORKER_REPORT_HEADER_BYTES + LIMIT_REPORT_BYTES];
	size_t length = end->report != NULL ? end->report_length : 0;

	if (length > LIMIT_REPORT_BYTES)
		length = 0;
	body[0] = (uint8_t)((end->is_out_of_memory ? WORKER_REPORT_MEMORY : 0) |
			    (end->signal != 0 ? 0 : WORKER_REPORT_DONE));
	body[1] = (uint8_t)end->status;
	memcpy(body + WORKER_REPORT_HEADER_BYTES, length > 0 ? end->report : "", length);
	err_ignore(chan_send_blocking(channel, WORKER_REPORT, 0, body,
				      WORKER_REPORT_HEADER_BYTES + length, NULL, 0, NULL),
		   "the job may have closed the channel; it then has no report");
}

/* The warden kills a worker that is done. One that nobody kills ends by itself. */
#define KILL_WAIT_MS 2000

/* So that a shell or a caller sees which signal it was. */
static void die_of(int number)
{
	sigset_t one;

	(void)sigemptyset(&one);
	(void)sigaddset(&one, number);
	(void)signal(number, SIG_DFL);
	(void)sigprocmask(SIG_UNBLOCK, &one, NULL);
	(void)kill(getpid(), number);
}

_Noreturn static void run(const struct payload *payload, struct span *span, int channel)
{
	pid_t self = getpid();
	struct job_end end = {0};

	payload->ops->run(payload->code, payload->code_length, span, &end);
	/* A child the job forked that falls off the end of the code is no second job. */
	if (getpid() == self)
		send_report(channel, &end);
	if (end.signal != 0)
		die_of(end.signal);
#ifndef CASEMATE_COVERAGE
	if (getpid() == self)
		(void)poll(NULL, 0, KILL_WAIT_MS);
#endif
	leave(end.status);
}

/* The service's fault or a workspace too small for the inputs: said on the job's stderr, which
 * is what its caller reads. */
_Noreturn static void refuse(const struct err *why)
{
	static const char head[] = "casemate: ";

	err_ignore(write_all(STDERR_FILENO, head, sizeof(head) - 1), "nobody is left to tell");
	err_ignore(write_all(STDERR_FILENO, why->text, strlen(why->text)), "as above");
	err_ignore(write_all(STDERR_FILENO, "\n", 1), "as above");
	leave(1);
}

static int take_stdin(const struct zygote_ops *ops, struct msg *msg, struct err *err)
{
	own_fd input = msg_take_fd(msg, 1);

	if (input < 0)
		return 0; /* /dev/null is there already */
	if (ops->take_stdin != NULL)
		return ops->take_stdin(input, err);
	if (dup2(input, STDIN_FILENO) < 0 || lseek(STDIN_FILENO, 0, SEEK_SET) < 0)
		return err_errno(err, errno, "take standard input");
	return 0;
}

static int take_job(const struct zygote_ops *ops, struct msg *msg, struct span *ret_span,
		    struct err *err)
{
	own_fd bundle = msg_take_fd(msg, 0);
	struct worker_job job;
	int status;

	if (msg->type != WORKER_JOB || bundle < 0)
		return err_set(err, EPROTO, "message %u instead of a job", msg->type);
	status = worker_job_decode(msg->body, msg->length, &job, err);
	if (status == 0 && msg->fd_count != 1u + job.has_stdin)
		return err_set(err, EPROTO, "a job with %u descriptors", msg->fd_count);
	if (status == 0)
		status = take_stdin(ops, msg, err);
	if (status == 0)
		status = memfd_map(bundle, LIMIT_PAYLOAD_BYTES, ret_span, err);
	return status;
}

_Noreturn void job_serve(int channel, const struct zygote_ops *ops)
{
	struct payload payload = {.ops = ops, .workspace_fd = -1};
	struct span span = {.data = ""};
	struct err err = {0};
	static struct msg msg; /* not on the stack, for the same reason as the report */

	/* A closed channel is the usual end of a worker nobody needs. */
	if (chan_receive_blocking(channel, &msg, &err) < 0)
		leave(LEAVE_NOT_READY);
	if (take_job(ops, &msg, &span, &err) < 0)
		refuse(&err);
	msg_done(&msg);
	payload.workspace_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (payload.workspace_fd < 0 || take_payload(&payload, &span, &err) < 0)
		refuse(&err);
	fd_drop(&payload.workspace_fd);
	run(&payload, &span, channel);
}
