#include "sandbox/runtimes/launch/compile.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonw.h"

#define OUTPUT_BYTES_MAX  (64 * 1024) /* kept of what a compiler says; the rest is not read */
#define MESSAGE_BYTES_MAX 1024
/* Every byte may become six in JSON, and all of it has to fit the report. */
#define TRACEBACK_BYTES_MAX 7000
_Static_assert(6 * (MESSAGE_BYTES_MAX + TRACEBACK_BYTES_MAX) + 256 < LIMIT_REPORT_BYTES,
	       "a report with any text fits");

#define EXIT_NOT_STARTED 127

static _Noreturn void become(char *const *argv, char *const *variables, const char *folder,
			     const struct plan *plan, int output_fd)
{
	rlim_t cpu_s = (plan->compile_cpu_ms + 999) / 1000;
	struct rlimit cpu;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	/* A group of its own, so that all of it can be killed. */
	if (setpgid(0, 0) != 0 || getrlimit(RLIMIT_CPU, &cpu) != 0)
		_exit(EXIT_NOT_STARTED);
	cpu.rlim_cur = cpu.rlim_cur < cpu_s ? cpu.rlim_cur : cpu_s;
	if (setrlimit(RLIMIT_CPU, &cpu) != 0 || chdir(folder) != 0 ||
	    dup2(null, STDIN_FILENO) < 0 || dup2(output_fd, STDOUT_FILENO) < 0 ||
	    dup2(output_fd, STDERR_FILENO) < 0)
		_exit(EXIT_NOT_STARTED);
	(void)execve(argv[0], argv, variables);
	(void)dprintf(STDERR_FILENO, "casemate: start %s: %s\n", argv[0], strerror(errno));
	_exit(EXIT_NOT_STARTED);
}

/* Until nobody can write any more, or the time is over: false. */
static bool read_output(int fd, uint64_t end_us, struct buf *output)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	static char piece[16384];

	for (;;) {
		uint64_t now_us = clock_mono_us();
		ssize_t got;

		if (now_us >= end_us)
			return false;
		if (poll(&wait, 1, (int)((end_us - now_us) / 1000 + 1)) <= 0)
			continue;
		got = read(fd, piece, sizeof(piece));
		if (got == 0)
			return true;
		if (got > 0 && output->length + (size_t)got <= OUTPUT_BYTES_MAX)
			buf_add(output, piece, (size_t)got);
	}
}

/* The end of its output is seldom not its end. */
static bool wait_for_end(pid_t pid, uint64_t end_us, int *ret_how)
{
	pid_t ended;

	while ((ended = waitpid(pid, ret_how, WNOHANG)) != pid) {
		if ((ended < 0 && errno != EINTR) || clock_mono_us() >= end_us)
			return false;
		(void)poll(NULL, 0, 1);
	}
	return true;
}

/* Watches the compiler whose output comes from `take_fd`. False: its time was over. */
static bool watch(pid_t pid, int take_fd, uint64_t wall_ms, struct buf *output, int *ret_how)
{
	own_fd fd = take_fd;
	uint64_t end_us = clock_mono_us() + wall_ms * 1000;

	if (read_output(fd, end_us, output) && wait_for_end(pid, end_us, ret_how))
		return true;
	(void)kill(-pid, SIGKILL);
	(void)waitpid(pid, ret_how, 0);
	return false;
}

/* The first line that says "error", else the first. */
static size_t find_message(const char *text, size_t length, const char **ret)
{
	const char *mark = length > 0 ? memmem(text, length, "error", 5) : NULL;
	const char *start = mark != NULL ? mark : text;
	const char *end;

	while (start > text && start[-1] != '\n')
		start--;
	end = memchr(start, '\n', length - (size_t)(start - text));
	*ret = start;
	return end == NULL ? length - (size_t)(start - text) : (size_t)(end - start);
}

static void put_text(struct jsonw *json, const char *key, const char *text, size_t length,
		     size_t length_max)
{
	jsonw_key(json, key);
	jsonw_bytes(json, text, length < length_max ? length : length_max);
}

/* The members of every worker's report. */
static void fill_report(const char *name, const struct buf *output, size_t own_at,
			struct job_end *ret)
{
	static struct buf report;
	struct jsonw json;
	const char *message;
	/* Our own word says more than an error in front of it. */
	size_t from = own_at < output->length ? own_at : 0;
	size_t length = find_message(output->data + from, output->length - from, &message);

	buf_init(&report, LIMIT_REPORT_BYTES);
	jsonw_init(&json, &report);
	jsonw_object_open(&json);
	jsonw_key(&json, "error");
	jsonw_object_open(&json);
	jsonw_key_str(&json, "name", name);
	put_text(&json, "message", message, length, MESSAGE_BYTES_MAX);
	put_text(&json, "traceback", output->data, output->length, TRACEBACK_BYTES_MAX);
	jsonw_object_close(&json);
	jsonw_key(&json, "result");
	jsonw_null(&json);
	jsonw_object_close(&json);
	if (report.has_failed)
		return;
	ret->report = report.data;
	ret->report_length = report.length;
}

static void write_output(const struct buf *output)
{
	size_t done = 0;

	while (done < output->length) {
		ssize_t wrote =
			write(STDERR_FILENO, output->data + done, output->length - done);

		if (wrote < 0 && errno != EINTR)
			return;
		done += wrote > 0 ? (size_t)wrote : 0;
	}
}

/* What is wrong with how it ended; NULL: nothing. */
static const char *judge(bool is_in_time, int how, const struct plan *plan, struct buf *output)
{
	if (!is_in_time) {
		buf_printf(output, "casemate: compiling took longer than %u ms\n",
			   plan->compile_wall_ms);
		return "CompileTimeout";
	}
	if (WIFSIGNALED(how)) {
		buf_printf(output, "casemate: the compiler was ended by signal %d\n",
			   WTERMSIG(how));
		return "CompileError";
	}
	return WEXITSTATUS(how) == 0 ? NULL : "CompileError";
}

/* The pid, with the read end of what it prints; negative: none was started. */
static pid_t begin(char *const *argv, char *const *variables, const char *folder,
		   const struct plan *plan, int *ret_output)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	pid = fork();
	if (pid == 0)
		become(argv, variables, folder, plan, ends[1]);
	fd_drop(&ends[1]);
	if (pid < 0)
		fd_drop(&ends[0]);
	*ret_output = ends[0];
	return pid;
}

bool compile_run(char *const *argv, char *const *variables, const char *folder,
		 const struct plan *plan, struct job_end *ret)
{
	static struct buf output;
	const char *wrong = "CompileError";
	int output_fd = -1;
	int how = 0;
	pid_t pid;

	size_t own_at = 0;

	buf_init(&output, OUTPUT_BYTES_MAX + 256);
	pid = begin(argv, variables, folder, plan, &output_fd);
	if (pid > 0) {
		bool is_in_time = watch(pid, output_fd, plan->compile_wall_ms, &output, &how);

		own_at = output.length;
		wrong = judge(is_in_time, how, plan, &output);
	} else {
		buf_printf(&output, "casemate: start the compiler: %s\n", strerror(errno));
	}
	write_output(&output);
	if (wrong == NULL)
		return true;
	ret->status = 1;
	fill_report(wrong, &output, own_at, ret);
	return false;
}
