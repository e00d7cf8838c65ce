/*
 * server/supervisor/supervisor_main.c - casemate-serve, the supervisor: it checks the
 * configuration, binds the sockets, starts the processes of the service, introduces them to one
 * another, and starts again whichever dies. It reads no byte of a caller, ever; it may trust
 * its configuration and the operator who starts it, and nothing a child says beyond "ready".
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "base/log.h"
#include "server/supervisor/reload.h"
#include "server/supervisor/supervisor.h"

#define EXIT_USAGE	    100
#define CONFIG_PATH_DEFAULT "/etc/casemate/casemate.json"
/* Descriptors of one process: 1024 connections cost the front and the gate two each. */
#define OPEN_FILES_MAX 65536

static const char help[] = "Runs the Casemate service in the foreground.\n\n"
			   "usage: casemate serve [--config FILE]\n\n"
			   "  --config FILE  configuration, default " CONFIG_PATH_DEFAULT "\n"
			   "  --help         this text\n"
			   "  --version      the version\n\n"
			   "SIGHUP reads configuration, certificates and revocation list "
			   "again. SIGTERM or SIGINT\n"
			   "finishes what runs and stops; a second one stops at once.\n";

/* 0: serve; -1: answered already. Anything else is an exit code. */
static int parse_options(int argc, char **argv, const char **ret_path)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			(void)fputs(help, stdout);
			return -1;
		}
		if (strcmp(argv[i], "--version") == 0) {
			(void)printf("casemate-serve %s\n", CASEMATE_VERSION);
			return -1;
		}
		if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
			*ret_path = argv[++i];
		} else if (strncmp(argv[i], "--config=", 9) == 0) {
			*ret_path = argv[i] + 9;
		} else {
			(void)fprintf(stderr, "casemate serve: unexpected argument '%s'\n\n%s",
				      argv[i], help);
			return EXIT_USAGE;
		}
	}
	return 0;
}

/* A number below 3 that is closed would be given to the first file we open. */
static int standard_descriptors(struct err *err)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return err_errno(err, errno, "open /dev/null as descriptor %d", fd);
	return 0;
}

static int surroundings(struct err *err)
{
	struct rlimit files;
	int status = standard_descriptors(err);

	if (status < 0)
		return status;
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return err_errno(err, errno, "read RLIMIT_NOFILE");
	if (files.rlim_cur < OPEN_FILES_MAX) {
		files.rlim_cur =
			files.rlim_max < OPEN_FILES_MAX ? files.rlim_max : OPEN_FILES_MAX;
		if (setrlimit(RLIMIT_NOFILE, &files) != 0)
			return err_errno(err, errno, "raise RLIMIT_NOFILE");
	}
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return err_errno(err, errno, "become the reaper of orphans");
	return 0;
}

static void serve_signal(struct supervisor *supervisor, uint32_t number)
{
	switch (number) {
	case SIGCHLD:
		supervisor_reap(supervisor);
		break;
	case SIGHUP:
		reload_start(supervisor);
		break;
	default:
		supervisor_stop(supervisor);
		break;
	}
}

static void signals_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)loop;
	(void)events;
	while (read(watch->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		serve_signal(watch->owner, info.ssi_signo);
}

static int watch_signals(struct supervisor *supervisor, struct watch *watch, int *ret_fd,
			 struct err *err)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return err_errno(err, errno, "block signals");
	*ret_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (*ret_fd < 0)
		return err_errno(err, errno, "signalfd");
	*watch = (struct watch){.fd = -1, .ready = signals_ready, .owner = supervisor};
	return loop_watch(&supervisor->loop, watch, *ret_fd, EPOLLIN, err);
}

static int serve(struct supervisor *supervisor, struct err *err)
{
	struct watch signals;
	own_fd signal_fd = -1;
	int status = loop_init(&supervisor->loop, err);

	if (status == 0)
		status = watch_signals(supervisor, &signals, &signal_fd, err);
	if (status == 0)
		status = supervisor_start(supervisor, err);
	if (status == 0)
		status = loop_run(&supervisor->loop, err);
	supervisor_done(supervisor);
	loop_done(&supervisor->loop);
	return status;
}

int main(int argc, char **argv)
{
	/* Too large for a stack frame that lives as long as the program. */
	static struct supervisor supervisor;
	const char *path = CONFIG_PATH_DEFAULT;
	struct err err = {0};
	int status = parse_options(argc, argv, &path);

	if (status != 0)
		return status < 0 ? 0 : status;
	log_init("supervisor", LOG_INFO);
	supervisor_init(&supervisor, path);
	status = surroundings(&err);
	if (status == 0)
		status = serve(&supervisor, &err);
	if (status < 0) {
		(void)fprintf(stderr, "casemate: %s\n", err.text);
		return 1;
	}
	if (supervisor.exit_code == 0)
		log_event(LOG_INFO, "stopped", LOG_INT("exit_code", 0));
	return supervisor.exit_code;
}
