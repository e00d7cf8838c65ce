#include "server/supervisor/handout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "schema/limits.h"
#include "server/supervisor/runtimes.h"
#include "server/supervisor/supervisor.h"

#define BODY_BYTES (36 * 1024) /* the largest message, SETUP_RUNTIME, takes under 32 KiB */

/* Encodes and sends one message; `name` is its struct, TYPE its number. */
#define SEND(child, TYPE, name, message, fds, fd_count)               \
	do {                                                          \
		uint8_t body_[BODY_BYTES];                            \
		struct wr wr_;                                        \
                                                                      \
		wr_init(&wr_, body_, sizeof(body_));                  \
		name##_encode(&wr_, (message));                       \
		child_send((child), (TYPE), &wr_, (fds), (fd_count)); \
	} while (0)

/* Where the uids of the processes lie, counted from uid_base. */
#define UID_VALIDATORS	  16   /* after the single processes, one each */
#define UID_WORKERS	  256  /* after the validators */
#define UID_WORKERS_COUNT 4096 /* four times the most workers there can be at once */

uint32_t handout_uid(const struct config *config, enum setup_role role, size_t index)
{
	uint32_t base = (uint32_t)config_number(config, "uid_base");

	if (role == SETUP_ROLE_VALIDATOR)
		return base + UID_VALIDATORS + (uint32_t)index;
	return base + (uint32_t)role;
}

static uint8_t log_level_of(const struct config *config)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	const char *text = config_text(config, "log_level");

	for (uint8_t i = 0; text != NULL && i < ARRAY_COUNT(names); i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	return LOG_INFO;
}

void handout_hello(struct child *child, const struct config *config)
{
	struct setup_hello hello = {
		.build_id = CASEMATE_VERSION,
		.host_uid = child->uid,
		.landlock_abi_min =
			(uint32_t)config_number(config, "isolation.landlock_abi_min"),
		.log_level = log_level_of(config),
	};

	SEND(child, SETUP_HELLO, setup_hello, &hello, NULL, 0);
}

void handout_commit(struct child *child)
{
	struct setup_commit commit = {0};

	child->commits_pending++;
	SEND(child, SETUP_COMMIT, setup_commit, &commit, NULL, 0);
}

void handout_drain(struct child *child, uint32_t deadline_ms)
{
	struct setup_drain drain = {.deadline_ms = deadline_ms};

	SEND(child, SETUP_DRAIN, setup_drain, &drain, NULL, 0);
}

static int hand_front(struct child *child, const struct config *config, struct err *err)
{
	struct setup_front_config message = {
		.tls12_allowed = (uint8_t)config_number(config, "tls.tls12"),
		.connections_max = (uint32_t)config_number(config, "http.connections_max"),
		.handshake_ms = (uint32_t)config_number(config, "tls.handshake_timeout_ms"),
		.handshakes_per_address_max =
			(uint32_t)config_number(config, "tls.handshakes_per_address_max"),
	};
	struct setup_front_keys keys = {.has_crl = config->keys[CONFIG_CRL] >= 0};

	(void)err;
	SEND(child, SETUP_FRONT_CONFIG, setup_front_config, &message,
	     &child->supervisor->listen_fd, 1);
	SEND(child, SETUP_FRONT_KEYS, setup_front_keys, &keys, config->keys, 3u + keys.has_crl);
	return 0;
}

static int hand_gate(struct child *child, const struct config *config, struct err *err)
{
	const int fds[] = {child->supervisor->operations_fd, child->supervisor->openapi_fd};
	struct setup_gate_config message = {
		.connections_max = (uint32_t)config_number(config, "http.connections_max"),
		.header_ms = (uint32_t)config_number(config, "http.header_timeout_ms"),
		.body_ms = (uint32_t)config_number(config, "http.body_timeout_ms"),
		.idle_ms = (uint32_t)config_number(config, "http.idle_timeout_ms"),
		.body_bytes_max = config_number(config, "http.body_bytes_max"),
	};

	(void)err;
	SEND(child, SETUP_GATE_CONFIG, setup_gate_config, &message, fds, 2);
	return 0;
}

static void hand_tenant(struct child *child, const char *name, const json_t *tenant)
{
	const json_t *ceilings = json_object_get(tenant, "ceilings");
	struct setup_tenant message = {
		.rate_per_minute = (uint32_t)config_member(tenant, "rate_per_minute"),
		.concurrency_max = (uint32_t)config_member(tenant, "concurrency_max"),
		.wall_ms_max = config_member(ceilings, "wall_ms"),
		.cpu_ms_max = config_member(ceilings, "cpu_ms"),
		.memory_bytes_max = config_member(ceilings, "memory_bytes"),
		.output_bytes_max = config_member(ceilings, "output_bytes"),
		.processes_max = config_member(ceilings, "processes"),
		.open_files_max = config_member(ceilings, "open_files"),
		.workspace_bytes_max = config_member(ceilings, "workspace_bytes"),
	};

	(void)snprintf(message.name, sizeof(message.name), "%s", name);
	SEND(child, SETUP_TENANT, setup_tenant, &message, NULL, 0);
}

static uint8_t roles_of(const json_t *principal)
{
	static const struct {
		const char *name;
		enum role bit;
	} known[] = {{"executor", ROLE_EXECUTOR},
		     {"auditor", ROLE_AUDITOR},
		     {"operator", ROLE_OPERATOR}};
	uint8_t bits = 0;
	size_t index;
	json_t *name;

	json_array_foreach(json_object_get(principal, "roles"), index,
			   name) for (size_t i = 0; i < ARRAY_COUNT(known);
				      i++) if (strcmp(json_string_value(name), known[i].name) ==
					       0) bits |= (uint8_t)known[i].bit;
	return bits;
}

static void hand_principal(struct child *child, const json_t *principal)
{
	static const struct {
		const char *member;
		enum identity_kind kind;
	} kinds[] = {{"spiffe", IDENTITY_SPIFFE}, {"dns", IDENTITY_DNS}, {"cn", IDENTITY_CN}};
	struct setup_principal message = {.roles = roles_of(principal)};

	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		const char *pattern = config_member_text(principal, kinds[i].member);

		if (pattern == NULL)
			continue;
		message.identity_kind = (uint8_t)kinds[i].kind;
		(void)snprintf(message.pattern, sizeof(message.pattern), "%s", pattern);
	}
	(void)snprintf(message.tenant, sizeof(message.tenant), "%s",
		       config_member_text(principal, "tenant"));
	(void)snprintf(message.policy, sizeof(message.policy), "%s",
		       config_member_text(principal, "policy"));
	SEND(child, SETUP_PRINCIPAL, setup_principal, &message, NULL, 0);
}

/* By memfd: a policy may list some thousand names. */
static int write_policies(const struct config *config, int *ret_fd, struct err *err)
{
	own_mem char *text =
		json_dumps(config_get(config, "policies"), JSON_COMPACT | JSON_SORT_KEYS);

	if (text == NULL)
		return err_set(err, ENOMEM, "memory for policies");
	return memfd_from("policies", text, strlen(text), ret_fd, err);
}

static int hand_ledger(struct child *child, const struct config *config, struct err *err)
{
	struct setup_ledger_config message = {
		.retain_answers_s = (uint32_t)config_number(config, "retain.answers_s"),
		.retain_answers_bytes = config_number(config, "retain.answers_bytes"),
		.retain_files_s = (uint32_t)config_number(config, "retain.files_s"),
		.retain_files_bytes = config_number(config, "retain.files_bytes"),
		.queue_ms = (uint32_t)config_number(config, "pool.queue_timeout_ms"),
	};
	own_fd policies = -1;
	const char *name;
	json_t *value;
	size_t index;
	int status = write_policies(config, &policies, err);

	if (status < 0)
		return status;
	(void)snprintf(message.database, sizeof(message.database), "%s",
		       config_text(config, "database"));
	SEND(child, SETUP_LEDGER_CONFIG, setup_ledger_config, &message,
	     ((const int[]){child->supervisor->state_fd, policies}), 2);
	json_object_foreach(config_get(config, "tenants"), name, value)
		hand_tenant(child, name, value);
	json_array_foreach(config_get(config, "principals"), index, value)
		hand_principal(child, value);
	return 0;
}

static int hand_validator(struct child *child, const struct config *config, struct err *err)
{
	struct setup_validator_config message = {0};
	own_fd policies = -1;
	int status = write_policies(config, &policies, err);

	if (status < 0)
		return status;
	SEND(child, SETUP_VALIDATOR_CONFIG, setup_validator_config, &message,
	     ((const int[]){child->supervisor->schema_fd, policies}), 2);
	return 0;
}

/* The largest ceiling of all tenants: no worker needs to allow more. */
static uint64_t ceiling_max(const struct config *config, const char *member, uint64_t least)
{
	uint64_t max = least;
	const char *name;
	json_t *tenant;

	json_object_foreach(config_get(config, "tenants"), name, tenant)
	{
		uint64_t value = config_member(json_object_get(tenant, "ceilings"), member);

		if (value > max)
			max = value;
	}
	return max;
}

/* The same for every run on one state folder, so that what a killed service left behind is
 * known by its name; the folder's lock keeps two services from sharing it. */
static void instance_name(const struct supervisor *supervisor, char *ret, size_t size)
{
	struct stat info = {0};

	(void)fstat(supervisor->state_fd, &info);
	(void)snprintf(ret, size, "casemate-%llx-%llx", (unsigned long long)info.st_dev,
		       (unsigned long long)info.st_ino);
}

static unsigned level_of(const struct config *config)
{
	return level_number(config_text(config, "isolation.level"));
}

/* Without cells the warden can mount nothing, so its workers' folders need a place. */
static int open_workspaces(const struct config *config, int *ret_fd, struct err *err)
{
	if (level_of(config) == LEVEL_FULL)
		return 0;
	return config_open(config, "isolation.workspaces", O_RDONLY | O_DIRECTORY, ret_fd, err);
}

static int hand_warden(struct child *child, const struct config *config, struct err *err)
{
	struct supervisor *supervisor = child->supervisor;
	struct setup_warden_config message = {
		.uid_first = supervisor->is_root ? handout_uid(config, 0, 0) + UID_WORKERS : 0,
		.uid_count = supervisor->is_root ? UID_WORKERS_COUNT : 0,
		.workers_max = (uint32_t)config_number(config, "pool.workers_max"),
		.queue_max = (uint32_t)config_number(config, "pool.queue_max"),
		.job_cpu_percent = (uint32_t)config_number(config, "pool.job_cpu_percent"),
		.memory_bytes_max =
			ceiling_max(config, "memory_bytes", LIMIT_MEMORY_BYTES_DEFAULT),
		.open_files_max = ceiling_max(config, "open_files", LIMIT_OPEN_FILES_DEFAULT),
		.processes_max = ceiling_max(config, "processes", LIMIT_PROCESSES_DEFAULT),
		.layers_required = config_layers(config, "isolation.layers_required"),
		.layers_disabled = config_layers(config, "isolation.layers_disabled"),
		.level = (uint8_t)level_of(config),
	};
	static struct runtimes runtimes; /* too large for a stack */
	own_fd workspaces = -1;
	int status = open_workspaces(config, &workspaces, err);

	if (status == 0)
		status = runtimes_load(&runtimes, config, err);
	if (status < 0)
		return status;
	instance_name(supervisor, message.instance, sizeof(message.instance));
	SEND(child, SETUP_WARDEN_CONFIG, setup_warden_config, &message, &workspaces,
	     workspaces >= 0 ? 1 : 0);
	for (size_t i = 0; i < runtimes.count; i++)
		if (runtimes.list[i].missing[0] != '\0')
			log_event(LOG_WARN, "runtime_left_out",
				  LOG_STR("runtime", runtimes.list[i].name),
				  LOG_STR("why", runtimes.list[i].missing));
	for (size_t i = 0; i < runtimes.count; i++)
		SEND(child, SETUP_RUNTIME, setup_runtime, &runtimes.list[i],
		     &runtimes.folders[i], 1);
	runtimes_done(&runtimes);
	return 0;
}

int handout_config(struct child *child, const struct config *config, struct err *err)
{
	static int (*const by_role[SETUP_ROLE_MAX + 1])(
		struct child * child, const struct config *config, struct err *err) = {
		[SETUP_ROLE_FRONT] = hand_front,   [SETUP_ROLE_GATE] = hand_gate,
		[SETUP_ROLE_LEDGER] = hand_ledger, [SETUP_ROLE_VALIDATOR] = hand_validator,
		[SETUP_ROLE_WARDEN] = hand_warden,
	};

	return by_role[child->role](child, config, err);
}
