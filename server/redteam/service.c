#include "server/redteam/service.h"

#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/self.h"
#include "server/redteam/pause.h"

#define FOLDER "/tmp/casemate-mutate-XXXXXX"

/* Start-up takes a second; a loaded machine needs more. */
#define START_TRIES 1200
#define STOP_TRIES  400
#define TRY_MS	    50

/* Starts a program beside this one; what it says goes to the folder's log. */
static int spawn(const struct service *service, const char *program, const char *const words[],
		 pid_t *ret, struct err *err)
{
	char path[PATH_MAX];
	char log[PATH_MAX];
	const char *argv[8] = {program};
	int status = self_path(program, path, sizeof(path), err);

	if (status < 0)
		return status;
	for (int i = 0; words[i] != NULL && i < 6; i++)
		argv[i + 1] = words[i];
	(void)snprintf(log, sizeof(log), "%s/log", service->folder);
	*ret = fork();
	if (*ret < 0)
		return err_errno(err, errno, "fork");
	if (*ret == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
		int null = open("/dev/null", O_RDONLY);

		/* A stopped attack leaves no service without its walls behind. */
		(void)setsid();
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
		(void)signal(SIGPIPE, SIG_DFL);
		if (dup2(null, 0) != 0 || dup2(fd, 1) != 1 || dup2(fd, 2) != 2)
			_exit(126);
		/* execv(3) writes nothing to its words. */
		(void)execv(path, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return 0;
}

int service_open(struct service *service, struct err *err)
{
	char pki[96];
	const char *const words[] = {"init", "--pki", pki, NULL};
	struct place_given given = {.url = "https://localhost:1", .pki = pki};
	pid_t pid = 0;
	int how = 1;
	int status;

	*service = (struct service){.folder = FOLDER};
	if (mkdtemp(service->folder) == NULL || chmod(service->folder, 0755) != 0)
		return err_errno(err, errno, "make %s", service->folder);
	(void)snprintf(pki, sizeof(pki), "%s/pki", service->folder);
	status = spawn(service, "casemate-certs", words, &pid, err);
	if (status == 0 && (waitpid(pid, &how, 0) != pid || how != 0))
		status =
			err_set(err, EIO, "casemate-certs failed; see %s/log", service->folder);
	return status < 0 ? status : place_fill(&given, &service->place, err);
}

static json_t *layer_list(const char *const layers_off[])
{
	json_t *list = json_array();

	for (int i = 0; layers_off[i] != NULL; i++)
		(void)json_array_append_new(list, json_string(layers_off[i]));
	return list;
}

/* Few workers and no libraries: what the wall is does not depend on them, start-up does. */
static int write_config(const struct service *service, const char *const layers_off[],
			const char *path, struct err *err)
{
	json_t *document = json_pack(
		"{s:{s:s,s:i}, s:{s:s,s:i}, s:{s:s,s:s,s:s,s:s}, s:s, s:{s:i},"
		" s:{s:{s:i,s:i,s:[]}}, s:{s:{s:i}}, s:{s:{}},"
		" s:[{s:s,s:s,s:[s,s,s],s:s}], s:{s:o,s:[]}}",
		"listen", "address", "127.0.0.1", "port", 0, "operations", "address",
		"127.0.0.1", "port", 0, "tls", "server_certificate", "pki/server.crt",
		"server_key", "pki/server.key", "client_ca", "pki/ca.crt", "crl", "pki/crl.pem",
		"state_directory", ".", "pool", "workers_max", 4, "runtimes", "python",
		"pool_low", 2, "pool_high", 3, "preload", "tenants", "dev", "concurrency_max",
		64, "policies", "default", "principals", "spiffe",
		"spiffe://casemate.local/client/dev", "tenant", "dev", "roles", "executor",
		"auditor", "operator", "policy", "default", "isolation", "layers_disabled",
		layer_list(layers_off), "layers_required");
	int failed = document == NULL || json_dump_file(document, path, JSON_INDENT(1)) != 0;

	json_decref(document);
	return failed ? err_set(err, EIO, "write %s for %s", path, service->folder) : 0;
}

static bool read_address(struct service *service)
{
	char path[96];
	FILE *file;
	bool is_read;

	(void)snprintf(path, sizeof(path), "%s/listening", service->folder);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	is_read = fgets(service->place.url, sizeof(service->place.url), file) != NULL &&
		  strchr(service->place.url, '\n') != NULL;
	(void)fclose(file);
	service->place.url[strcspn(service->place.url, "\n")] = '\0';
	return is_read;
}

int service_start(struct service *service, const char *const layers_off[], struct err *err)
{
	char config[96];
	char listening[96];
	const char *const words[] = {"--config", config, NULL};
	int status;

	(void)snprintf(config, sizeof(config), "%s/casemate.json", service->folder);
	(void)snprintf(listening, sizeof(listening), "%s/listening", service->folder);
	(void)unlink(listening);
	status = write_config(service, layers_off, config, err);
	if (status == 0)
		status = spawn(service, "casemate-serve", words, &service->pid, err);
	for (int left = START_TRIES; status == 0 && left > 0; left--) {
		if (read_address(service))
			return 0;
		if (waitpid(service->pid, NULL, WNOHANG) != 0) {
			service->pid = 0;
			break;
		}
		pause_ms(TRY_MS);
	}
	if (status == 0)
		status = err_set(err, EIO, "the service did not start; see %s/log",
				 service->folder);
	return status;
}

void service_stop(struct service *service)
{
	if (service->pid <= 0)
		return;
	(void)kill(service->pid, SIGTERM);
	for (int left = STOP_TRIES; left > 0; left--) {
		if (waitpid(service->pid, NULL, WNOHANG) != 0) {
			service->pid = 0;
			return;
		}
		pause_ms(TRY_MS);
	}
	(void)kill(-service->pid, SIGKILL);
	(void)waitpid(service->pid, NULL, 0);
	service->pid = 0;
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *place)
{
	(void)info;
	(void)flag;
	(void)place;
	(void)remove(path);
	return 0;
}

void service_close(struct service *service)
{
	service_stop(service);
	(void)nftw(service->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
