#include "server/supervisor/prepare.h"

#include <fcntl.h>
#include <string.h>

#include "base/self.h"
#include "server/supervisor/handout.h"
#include "server/supervisor/listener.h"
#include "server/supervisor/rights.h"
#include "server/supervisor/state.h"

int prepare_config(const struct supervisor *supervisor, int output_fd, struct config *ret,
		   struct err *err)
{
	own_span span = {0};
	int status = memfd_map(output_fd, CONFIG_BYTES_MAX, &span, err);

	if (status < 0)
		return status;
	return config_load(ret, supervisor->config_path, span.data, span.length, err);
}

static int open_share(int *ret_fd, struct err *err)
{
	char path[PATH_MAX];
	int status = self_path("../../share/casemate/schema", path, sizeof(path), err);
	int fd;

	if (status < 0)
		return status;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open %s", path);
	*ret_fd = fd;
	return 0;
}

static uint32_t ledger_uid(const struct supervisor *supervisor)
{
	return supervisor->is_root ? handout_uid(&supervisor->config, SETUP_ROLE_LEDGER, 0) : 0;
}

static int take_state(struct supervisor *supervisor, struct err *err)
{
	const struct config *config = &supervisor->config;
	int status = config_open(config, "state_directory", O_RDONLY | O_DIRECTORY,
				 &supervisor->state_fd, err);

	if (status == 0)
		status = state_lock(supervisor->state_fd, &supervisor->lock_fd, err);
	if (status < 0)
		return status;
	/* Whoever waits for these files must not find those of a service that was killed. */
	state_remove(supervisor->state_fd, "listening");
	state_remove(supervisor->state_fd, "listening-operations");
	return state_check(supervisor->state_fd, config_text(config, "database"),
			   ledger_uid(supervisor), err);
}

static int take_listeners(struct supervisor *supervisor, struct err *err)
{
	const struct config *config = &supervisor->config;
	int status = listener_open("listen", config_text(config, "listen.address"),
				   (uint16_t)config_number(config, "listen.port"),
				   &supervisor->listen_fd, &supervisor->port, err);

	if (status < 0)
		return status;
	return listener_open("operations", config_text(config, "operations.address"),
			     (uint16_t)config_number(config, "operations.port"),
			     &supervisor->operations_fd, &supervisor->operations_port, err);
}

/* --- the processes ----------------------------------------------------------------------- */

static void add_child(struct supervisor *supervisor, enum setup_role role, size_t index)
{
	struct child *child = &supervisor->children[supervisor->child_count++];

	child_init(child, supervisor, role);
	if (supervisor->is_root)
		child->uid = handout_uid(&supervisor->config, role, index);
}

/* The warden first, because it takes longest; the front last, because it lets callers in. */
static void start_children(struct supervisor *supervisor)
{
	size_t validators = config_number(&supervisor->config, "validators");

	add_child(supervisor, SETUP_ROLE_WARDEN, 0);
	for (size_t i = 0; i < validators && i < PEERS_VALIDATORS_MAX; i++)
		add_child(supervisor, SETUP_ROLE_VALIDATOR, i);
	add_child(supervisor, SETUP_ROLE_LEDGER, 0);
	add_child(supervisor, SETUP_ROLE_GATE, 0);
	add_child(supervisor, SETUP_ROLE_FRONT, 0);
	peers_init(&supervisor->peers, supervisor->children, supervisor->child_count);
	supervisor->phase = PHASE_STARTING;
	for (size_t i = 0; i < supervisor->child_count; i++)
		child_event(&supervisor->children[i], CHILD_START);
}

/* --- the chain --------------------------------------------------------------------------- */

/* False, and the service ends, when the one-shot program or this step failed. */
static bool goes_on(struct supervisor *supervisor, int status, const struct err *err)
{
	if (status < 0 && supervisor->phase == PHASE_PREPARING)
		supervisor_fail(supervisor, err->text);
	return status == 0 && supervisor->phase == PHASE_PREPARING;
}

static bool has_succeeded(struct supervisor *supervisor, const char *failure)
{
	if (failure != NULL && supervisor->phase == PHASE_PREPARING)
		supervisor_fail(supervisor, failure);
	return failure == NULL && supervisor->phase == PHASE_PREPARING;
}

static void migrated(struct oneshot *oneshot, int *output_fd, const char *failure)
{
	struct supervisor *supervisor = oneshot->owner;
	struct err err = {0};
	int status = 0;

	(void)output_fd;
	if (!has_succeeded(supervisor, failure))
		return;
	if (supervisor->is_root)
		status = state_give(supervisor->state_fd,
				    config_text(&supervisor->config, "database"),
				    ledger_uid(supervisor), &err);
	if (goes_on(supervisor, status, &err))
		start_children(supervisor);
}

/* The absolute path of the database, for a program that gets no descriptor. */
static int database_path(const struct supervisor *supervisor, char *ret, size_t size,
			 struct err *err)
{
	char link[64];
	char folder[PATH_MAX];
	ssize_t length;
	int wanted;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", supervisor->state_fd);
	length = readlink(link, folder, sizeof(folder) - 1);
	if (length < 0)
		return err_errno(err, errno, "find the path of the state directory");
	folder[length] = '\0';
	wanted = snprintf(ret, size, "%s/%s", folder,
			  config_text(&supervisor->config, "database"));
	if (wanted < 0 || (size_t)wanted >= size)
		return err_set(err, ENAMETOOLONG, "the path of the database is too long");
	return 0;
}

static void described(struct oneshot *oneshot, int *output_fd, const char *failure)
{
	struct supervisor *supervisor = oneshot->owner;
	struct err err = {0};
	char path[PATH_MAX];
	int status;

	if (!has_succeeded(supervisor, failure))
		return;
	supervisor->openapi_fd = fd_take(output_fd);
	status = database_path(supervisor, path, sizeof(path), &err);
	oneshot->done = migrated;
	if (status == 0)
		status = oneshot_start(oneshot, &supervisor->loop, "casemate-ledger", "migrate",
				       path, &err);
	(void)goes_on(supervisor, status, &err);
}

static void configured(struct oneshot *oneshot, int *output_fd, const char *failure)
{
	struct supervisor *supervisor = oneshot->owner;
	struct err err = {0};
	int status;

	if (!has_succeeded(supervisor, failure))
		return;
	status = prepare_config(supervisor, *output_fd, &supervisor->config, &err);
	if (status == 0)
		status = take_state(supervisor, &err);
	if (status == 0)
		status = open_share(&supervisor->schema_fd, &err);
	if (status == 0)
		status = take_listeners(supervisor, &err);
	/* Ports below 1024 are bound now; nothing that follows needs more. */
	if (status == 0)
		status = rights_drop(
			config_layers(&supervisor->config, "isolation.layers_disabled"), &err);
	oneshot->done = described;
	if (status == 0)
		status = oneshot_start(oneshot, &supervisor->loop, "casemate-validator",
				       "openapi", NULL, &err);
	(void)goes_on(supervisor, status, &err);
}

int prepare_start(struct supervisor *supervisor, struct err *err)
{
	supervisor->oneshot.owner = supervisor;
	supervisor->oneshot.done = configured;
	return oneshot_start(&supervisor->oneshot, &supervisor->loop, "casemate-validator",
			     "config", supervisor->config_path, err);
}
