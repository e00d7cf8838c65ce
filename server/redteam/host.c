#include "server/redteam/host.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "server/redteam/process.h"

/* Not below /tmp, over which every job has a folder of its own, even without a wall. */
#define FOLDER "/var/tmp/casemate-redteam-XXXXXX"
#define CANARY "canary\n"

static int write_canary(struct host *host, struct err *err)
{
	own_fd fd = -1;

	(void)snprintf(host->canary, sizeof(host->canary), "%s/canary", host->folder);
	(void)snprintf(host->drop, sizeof(host->drop), "%s/drop", host->folder);
	fd = open(host->canary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, CANARY, sizeof(CANARY) - 1) != sizeof(CANARY) - 1 ||
	    fchmod(fd, 0644) != 0)
		return err_errno(err, errno, "write %s", host->canary);
	if (mkdir(host->drop, 0777) != 0 || chmod(host->drop, 0777) != 0 ||
	    chmod(host->folder, 0755) != 0)
		return err_errno(err, errno, "make %s", host->drop);
	return 0;
}

static int listen_on(struct host *host, struct err *err)
{
	struct sockaddr_in place = {.sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(place);

	host->tcp_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	host->udp_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (host->tcp_fd < 0 || host->udp_fd < 0 ||
	    bind(host->tcp_fd, (struct sockaddr *)&place, length) != 0 ||
	    listen(host->tcp_fd, 16) != 0 ||
	    getsockname(host->tcp_fd, (struct sockaddr *)&place, &length) != 0)
		return err_errno(err, errno, "listen on the loopback");
	host->port = ntohs(place.sin_port);
	if (bind(host->udp_fd, (struct sockaddr *)&place, length) != 0)
		return err_errno(err, errno, "listen for datagrams");
	return 0;
}

static int listen_unix(struct host *host, struct err *err)
{
	struct sockaddr_un path = {.sun_family = AF_UNIX};
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int length = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "%s", host->name);

	(void)snprintf(path.sun_path, sizeof(path.sun_path), "%s/listener", host->folder);
	host->unix_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	host->abstract_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (host->unix_fd < 0 || host->abstract_fd < 0 ||
	    bind(host->unix_fd, (struct sockaddr *)&path, sizeof(path)) != 0 ||
	    chmod(path.sun_path, 0777) != 0 || listen(host->unix_fd, 16) != 0 ||
	    bind(host->abstract_fd, (struct sockaddr *)&name,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) !=
		    0 ||
	    listen(host->abstract_fd, 16) != 0)
		return err_errno(err, errno, "listen on unix sockets");
	return 0;
}

/* A process that a job could signal if only its user kept it from doing so. */
static int raise_victim(struct host *host, pid_t service, struct err *err)
{
	uid_t user = process_user_of_jobs(service);

	host->victim = fork();
	if (host->victim < 0)
		return err_errno(err, errno, "start the victim");
	if (host->victim > 0)
		return 0;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (geteuid() == 0 && user != 0 &&
	    (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0 ||
	     setresuid(user, user, user) != 0))
		_exit(1);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (;;)
		(void)pause();
}

int host_open(struct host *host, bool is_here, pid_t service, struct err *err)
{
	int status;

	*host = (struct host){.is_here = is_here,
			      .folder = FOLDER,
			      .tcp_fd = -1,
			      .udp_fd = -1,
			      .unix_fd = -1,
			      .abstract_fd = -1};
	if (getrandom(&host->random, sizeof(host->random), 0) != sizeof(host->random))
		return err_errno(err, errno, "getrandom");
	(void)snprintf(host->name, sizeof(host->name), "probe-%08x", host->random);
	host_mark(host);
	if (!is_here) {
		host->folder[0] = '\0';
		return 0;
	}
	if (mkdtemp(host->folder) == NULL) {
		host->folder[0] = '\0';
		return err_errno(err, errno, "make a folder for the witnesses");
	}
	status = write_canary(host, err);
	if (status == 0)
		status = listen_on(host, err);
	if (status == 0)
		status = listen_unix(host, err);
	if (status == 0)
		status = raise_victim(host, service, err);
	if (status < 0)
		host_close(host);
	return status;
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *place)
{
	(void)info;
	(void)flag;
	(void)place;
	(void)remove(path);
	return 0;
}

void host_close(struct host *host)
{
	fd_drop(&host->tcp_fd);
	fd_drop(&host->udp_fd);
	fd_drop(&host->unix_fd);
	fd_drop(&host->abstract_fd);
	if (host->victim > 0) {
		(void)kill(host->victim, SIGKILL);
		(void)waitpid(host->victim, NULL, 0);
		host->victim = 0;
	}
	if (host->folder[0] != '\0')
		(void)nftw(host->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	host->folder[0] = '\0';
}

void host_mark(struct host *host)
{
	(void)snprintf(host->mark, sizeof(host->mark), "p%08x-%x", host->random,
		       host->marks++ & 0xffff);
}

static double uptime(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (double)now.tv_sec;
}

/* Appends the fact that `name` (of `length` bytes) stands for. */
static bool add_fact(const struct host *host, const char *name, size_t length, struct buf *ret)
{
	const struct {
		const char *name, *text;
	} texts[] = {
		{"canary", host->canary}, {"drop", host->drop}, {"folder", host->folder},
		{"mark", host->mark},	  {"name", host->name},
	};

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		if (strlen(texts[i].name) == length &&
		    strncmp(texts[i].name, name, length) == 0) {
			buf_add_str(ret, texts[i].text);
			return host->is_here;
		}
	if (length == 4 && strncmp(name, "port", 4) == 0)
		buf_printf(ret, "%u", host->port);
	else if (length == 6 && strncmp(name, "victim", 6) == 0)
		buf_printf(ret, "%d", (int)host->victim);
	else
		buf_printf(ret, "%.0f", uptime());
	return host->is_here;
}

bool host_fill(const struct host *host, const char *text, struct buf *ret)
{
	static const char *const names[] = {"{canary}", "{drop}", "{folder}", "{mark}",
					    "{name}",	"{port}", "{victim}", "{uptime}"};
	bool is_known = true;

	while (*text != '\0') {
		size_t used = 0;

		for (size_t i = 0; i < ARRAY_COUNT(names) && used == 0; i++)
			if (strncmp(text, names[i], strlen(names[i])) == 0)
				used = strlen(names[i]);
		if (used > 0) {
			is_known &= add_fact(host, text + 1, used - 2, ret);
			text += used;
		} else {
			buf_add_char(ret, *text++);
		}
	}
	return is_known;
}

static bool has_contact(int fd)
{
	own_fd contact = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	return contact >= 0;
}

static bool is_canary_whole(const struct host *host)
{
	char text[sizeof(CANARY) + 1] = "";
	own_fd fd = open(host->canary, O_RDONLY | O_NOATIME | O_CLOEXEC);

	return fd >= 0 && read(fd, text, sizeof(text)) == sizeof(CANARY) - 1 &&
	       memcmp(text, CANARY, sizeof(CANARY) - 1) == 0;
}

/* Empties it again, so that each probe is judged by its own traces. */
static bool has_dropped(const struct host *host)
{
	DIR *folder = opendir(host->drop);
	const struct dirent *entry;
	bool has = false;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		has = true;
		if (unlinkat(dirfd(folder), entry->d_name, 0) != 0)
			(void)unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
	}
	if (folder != NULL)
		(void)closedir(folder);
	return has;
}

const char *host_saw(struct host *host)
{
	char byte;

	if (!host->is_here)
		return NULL;
	if (has_contact(host->tcp_fd))
		return "the TCP listener was called";
	if (recv(host->udp_fd, &byte, 1, 0) >= 0)
		return "a datagram arrived";
	if (has_contact(host->unix_fd) || has_contact(host->abstract_fd))
		return "the unix listener was called";
	if (has_dropped(host))
		return "a file appeared on the host";
	if (!is_canary_whole(host))
		return "the canary was changed";
	if (waitpid(host->victim, NULL, WNOHANG) != 0)
		return "the victim died";
	return NULL;
}
