#include "sandbox/warden/enter.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "base/confine.h"
#include "base/log.h"
#include "base/memfd.h"
#include "sandbox/layers/netns.h"
#include "sandbox/layers/null_lock.h"
#include "sandbox/layers/seccomp.h"
#include "sandbox/layers/userns.h"
#include "sandbox/warden/bare.h"
#include "sandbox/warden/boost.h"
#include "sandbox/warden/janitor.h"
#include "sandbox/warden/making.h"
#include "sandbox/warden/oom.h"
#include "sandbox/warden/warden.h"

/* Descriptors of one slot: channel, two pipes, two pidfds, lifeline, workspace, network
 * namespace, listener, thirteen of the control group, a job's payload and stdin. */
#define FDS_PER_SLOT 25
#define FDS_OF_OWN   128

#define LAYERS_CGROUP (LAYER_CGROUP_MEMORY | LAYER_CGROUP_PIDS | LAYER_CGROUP_CPU)

static int check_config(const struct setup_warden_config *config, struct err *err)
{
	bool is_root = geteuid() == 0;

#ifndef CASEMATE_TEST_BUILD
	if (config->layers_disabled != 0)
		return err_set(err, EPERM, "layers can be switched off in test builds only");
#endif
	if (is_root && config->uid_first == 0)
		return err_set(err, EINVAL,
			       "started as root, but there is no uid for the workers");
	if (is_root && config->uid_count <= config->workers_max)
		return err_set(err, EINVAL, "%u uids are too few for %u workers",
			       config->uid_count, config->workers_max);
	return 0;
}

static int raise_descriptor_limit(uint32_t workers, struct err *err)
{
	rlim_t wanted = (rlim_t)workers * FDS_PER_SLOT + FDS_OF_OWN;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return err_errno(err, errno, "read the limit of open files");
	if (limit.rlim_max < wanted)
		return err_set(err, EMFILE,
			       "%u workers need %llu open files, the limit is %llu: raise it "
			       "(ulimit -n, LimitNOFILE=) or lower pool.workers_max",
			       workers, (unsigned long long)wanted,
			       (unsigned long long)limit.rlim_max);
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return err_errno(err, errno, "raise the limit of open files");
	return 0;
}

/* Test builds: a controller whose layer is off is one that the host does not have. */
static void hide_cgroups(struct cgroup_host *host, uint32_t layers_disabled)
{
	static const struct {
		uint32_t layer;
		enum cgroup_place place;
	} places[] = {
		{LAYER_CGROUP_MEMORY, CGROUP_MEMORY},
		{LAYER_CGROUP_PIDS, CGROUP_PIDS},
		{LAYER_CGROUP_CPU, CGROUP_CPU},
	};

	if ((layers_disabled & LAYERS_CGROUP) == LAYERS_CGROUP)
		*host = (struct cgroup_host){.version = 0};
	host->layers_off = layers_disabled & LAYERS_CGROUP;
	for (size_t i = 0; i < ARRAY_COUNT(places) && host->version == 1; i++)
		if ((layers_disabled & places[i].layer) != 0)
			host->path[places[i].place][0] = '\0';
}

static int open_cgroups(struct warden *warden, struct err *err)
{
	const struct setup_warden_config *config = &warden->config;
	struct cgroup_host host;
	uint32_t required = config->layers_required & LAYERS_CGROUP;
	int status = cgroup_host_probe(&host, err);

	if (status == 0)
		hide_cgroups(&host, config->layers_disabled);
	if (status == 0)
		status = cgroup_instance_open(&host, config->instance, config->uid_first,
					      &warden->cgroups, err);
	if (status < 0)
		return status;
	if (warden->cgroups.missing[0] != '\0')
		log_event(LOG_WARN, "cgroups_missing", LOG_STR("why", warden->cgroups.missing));
	status = making_check_layers(required, warden->cgroups.layers, err);
	if (status < 0)
		cgroup_instance_remove(&warden->cgroups);
	return status;
}

static int open_workspaces(struct warden *warden, struct err *err)
{
	int status;

	if (warden_has_cells(warden))
		return 0;
	if (warden->workspaces_parent_fd < 0)
		return err_set(err, EPROTO, "level %s without a folder for workspaces",
			       level_name(warden->config.level));
	status = workspaces_make(warden->workspaces_parent_fd, warden->config.instance,
				 warden->config.uid_first, &warden->workspaces, err);
	fd_drop(&warden->workspaces_parent_fd);
	return status;
}

/* What takes the place of lines of the runtimes' lists. */
static uint32_t worker_covers(const struct warden *warden)
{
	uint32_t off = warden->config.layers_disabled;
	uint32_t covers = 0;

	if (warden_has_cells(warden))
		return 0;
	covers |= SECCOMP_COVER(LANDLOCK);
	if (warden->config.uid_first == 0 || (off & LAYER_OWN_UID) != 0)
		covers |= SECCOMP_COVER(SHARED_UID);
	if (!bare_has_groups(warden))
		covers |= SECCOMP_COVER(NO_PROCESSES);
	return covers;
}

static const int denied[] = {
#define DENY(name, why) __NR_##name,
#include "sandbox/warden/warden.seccomp.def"
};

static const int denied_below[] = {
#include "sandbox/warden/below.seccomp.def"
#undef DENY
};

/* Where no network namespace keeps the host's network away. */
static const int denied_on_host[] = {
#define DENY(name, why) __NR_##name,
#include "sandbox/warden/host.seccomp.def"
#undef DENY
};

static int deny_all(scmp_filter_ctx filter, const int *numbers, size_t count)
{
	int status = 0;

	for (size_t i = 0; i < count && status == 0; i++)
		status = seccomp_rule_add(filter, SCMP_ACT_TRACE(0), numbers[i], 0);
	return status;
}

/* TRACE without a tracer: the call is not made and fails with ENOSYS. Of several filters the
 * strictest answer counts; unlike an errno this one gives way to the notification by a job's
 * own list, so that the attempt is told of. Nothing here can trace: that is denied too. */
static int deny_list_new(const int *numbers, size_t count, scmp_filter_ctx *ret,
			 struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int status = filter != NULL ? 0 : -ENOMEM;

	/* A tree instead of a list: jobs pay for this with every call the kernel does not
	 * cache. */
	if (status == 0)
		status = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (status == 0)
		status = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
					  SCMP_ACT_KILL_PROCESS);
	if (status == 0)
		status = deny_all(filter, numbers, count);
	if (status < 0) {
		seccomp_release(filter);
		return err_errno(err, -status, "make a deny list");
	}
	*ret = filter;
	return 0;
}

/* Inherited by everything below; the jobs' own allow-list comes on top. */
int enter_deny_for_good(bool is_on_host, struct err *err)
{
	scmp_filter_ctx filter;
	int status = deny_list_new(denied, ARRAY_COUNT(denied), &filter, err);

	if (status < 0)
		return status;
	if (is_on_host)
		status = deny_all(filter, denied_on_host, ARRAY_COUNT(denied_on_host));
	if (status == 0)
		status = seccomp_load(filter);
	seccomp_release(filter);
	return status < 0 ? err_errno(err, -status, "load the warden's deny list") : 0;
}

static int compile_below(int *ret_memfd, struct err *err)
{
	own_fd memfd = -1;
	scmp_filter_ctx filter;
	int status = deny_list_new(denied_below, ARRAY_COUNT(denied_below), &filter, err);

	if (status < 0)
		return status;
	status = memfd_new("seccomp", &memfd, err);
	if (status == 0 && seccomp_export_bpf(filter, memfd) < 0)
		status = err_set(err, EIO, "compile the deny list of the programs below");
	if (status == 0)
		status = memfd_seal(memfd, err);
	if (status == 0)
		*ret_memfd = fd_take(&memfd);
	seccomp_release(filter);
	return status;
}

/* Whether workers can hand out a listener: told once, so that all of them are alike. */
static int decide_telling(struct warden *warden, struct err *err)
{
	const uint32_t needed = LAYER_SECCOMP | LAYER_DENIAL_EVENTS;
	own_fd memfd = -1;
	struct err why = {0};

	if ((warden->config.layers_disabled & needed) != 0 ||
	    (level_layers(warden->config.level) & LAYER_DENIAL_EVENTS) == 0)
		return 0;
	if (seccomp_program_compile(SECCOMP_LIST_WORKER, SECCOMP_TELL, &memfd, &why) == 0 &&
	    seccomp_try_telling(memfd, &why) == 0) {
		warden->tells_denials = true;
		return 0;
	}
	log_event(LOG_WARN, "denials_not_told", LOG_STR("why", why.text));
	return making_check_layers(warden->config.layers_required,
				   ~(uint32_t)LAYER_DENIAL_EVENTS, err);
}

static int open_before(struct warden *warden, struct err *err)
{
	int status = check_config(&warden->config, err);

	if (status == 0)
		status = decide_telling(warden, err);
	if (status == 0 && (warden->config.layers_disabled & LAYER_SECCOMP) == 0)
		status = compile_below(&warden->below_filter_fd, err);
	if (status == 0)
		status = raise_descriptor_limit(warden->config.workers_max, err);
	if (status == 0)
		status = oom_open(err);
	if (status == 0)
		status = null_lock_hold(&warden->null_lock_fd, err);
	if (status == 0)
		status = open_cgroups(warden, err);
	for (unsigned i = 0; i < warden->runtime_count && status == 0; i++)
		status = runtime_open(&warden->runtimes[i], worker_covers(warden), err);
	if (status == 0)
		status = seccomp_program_compile(SECCOMP_LIST_INIT, SECCOMP_QUIET,
						 &warden->init_filter_fd, err);
	if (status == 0)
		status = open_workspaces(warden, err);
	if (status == 0)
		status = boost_open(warden->config.uid_first, warden->config.uid_count,
				    &warden->boost_fd, err);
	if (status < 0) {
		cgroup_instance_remove(&warden->cgroups);
		return status;
	}
	return warden->cgroups.version != 0 || !warden_has_cells(warden)
		       ? janitor_start(&warden->cgroups, &warden->workspaces, err)
		       : 0;
}

uint32_t enter_own_layers(const struct setup_warden_config *config)
{
	return LAYER_ALL & ~config->layers_disabled;
}

/* Tries what must fail now. The host's name belongs to the namespace of the host's root;
 * setting it to what it is harms nobody if it works. */
static int prove(const struct setup_warden_config *config, pid_t supervisor, bool was_root,
		 struct err *err)
{
	struct utsname host;
	int status = userns_check(was_root ? config->uid_count : 1, err);

	if (status < 0)
		return status;
	if (uname(&host) == 0 && sethostname(host.nodename, strlen(host.nodename)) == 0)
		return err_set(err, EPERM, "confinement failed: the host's name can be set");
	if (was_root && supervisor > 1 && (kill(supervisor, 0) == 0 || errno != EPERM))
		return err_set(err, EPERM,
			       "confinement failed: the supervisor can be signalled");
	if ((enter_own_layers(config) & LAYER_SECCOMP) != 0 && !confine_denies_calls())
		return err_set(err, EPERM, "confinement failed: the deny list does not hold");
	if ((enter_own_layers(config) & LAYER_NO_NEW_PRIVILEGES) != 0 &&
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return err_set(err, EPERM, "confinement failed: no_new_privs did not stick");
	return (enter_own_layers(config) & LAYER_NETWORK_NAMESPACE) != 0 ? netns_check(err) : 0;
}

/* The first slot's namespace; its making takes us out of the host's network. With the layer off
 * all slots stay in the host's, or a probe would still find itself without a network. */
static int leave_network(struct warden *warden, struct err *err)
{
	if ((enter_own_layers(&warden->config) & LAYER_NETWORK_NAMESPACE) != 0)
		return netns_new(&warden->slots[0].netns_fd, err);
	for (unsigned i = 0; i < warden->slot_count; i++) {
		warden->slots[i].netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		if (warden->slots[i].netns_fd < 0)
			return err_errno(err, errno, "open the host's network namespace");
	}
	return 0;
}

int enter_sandbox(struct warden *warden, struct err *err)
{
	const struct setup_warden_config *config = &warden->config;
	pid_t supervisor = getppid();
	bool was_root = geteuid() == 0;
	int status = open_before(warden, err);

	if (status == 0 && !warden_has_cells(warden))
		return enter_host(warden, supervisor, err);
	if (status == 0)
		status = userns_enter(config->uid_first, config->uid_count, err);
	if (status < 0)
		return status;
	/* For changing a workspace's size; nothing is mounted by the warden itself. */
	if (unshare(CLONE_NEWNS) != 0)
		return err_errno(err, errno, "leave the host's mount namespace");
	status = leave_network(warden, err);
	if (status < 0)
		return status;
	status = (enter_own_layers(config) & LAYER_RLIMITS) != 0 ? confine_core(err) : 0;
	if (status < 0)
		return status;
	if ((enter_own_layers(config) & LAYER_NO_NEW_PRIVILEGES) != 0 &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_errno(err, errno, "set no_new_privs");
	if ((enter_own_layers(config) & LAYER_SECCOMP) != 0)
		status = enter_deny_for_good(false, err);
	return status < 0 ? status : prove(config, supervisor, was_root, err);
}
