#include "validator/process.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include "base/chan.h"
#include "base/confine.h"
#include "base/log.h"
#include "base/memfd.h"
#include "schema/wire/ledger_validator.h"
#include "schema/wire/setup.h"
#include "validator/catalog.h"
#include "validator/code/report.h"
#include "validator/enclose.h"
#include "validator/guard.h"
#include "validator/json_guard.h"
#include "validator/outcome.h"
#include "validator/request.h"
#include "validator/sanitise.h"
#include "validator/verdict.h"

/* States of the set-up dialogue, as bits for the route table. */
enum { SETUP_NEW = 1, SETUP_CONFIGURED = 2, SETUP_SERVING = 4, SETUP_DRAINING = 8 };

struct validator {
	struct loop loop;
	struct chan setup;
	struct chan ledger;
	struct timer drain;
	uint32_t state;
	int exit_code;
	struct setup_hello hello;
	int schema_folder;    /* owned; -1: none */
	int pending_policies; /* owned; JSON, until COMMIT */
	int pending_ledger;   /* owned; the peer's channel until COMMIT */
	unsigned landlock_abi;
	struct catalog catalog;
	struct rulebook rulebook;
	struct outcome_writer writer;
	struct faults faults;
};

/* Blocks above this go straight back to the kernel: one job with 16 MiB of output must not
 * leave a heap of that size behind. */
#define MMAP_THRESHOLD_BYTES (256 * 1024)

static void stop(struct validator *validator, int exit_code)
{
	validator->exit_code = exit_code;
	loop_stop(&validator->loop);
}

/* --- questions of the ledger ------------------------------------------------------------- */

/* Sends one answer whose content travels as a sealed memfd; `more` in a second one, where there
 * is any. */
static int answer(struct validator *validator, uint16_t type, uint64_t id, const struct wr *wr,
		  const struct buf *content, const struct buf *more, struct err *err)
{
	own_fd fd = -1;
	own_fd second = -1;
	int status = memfd_from("answer", content->data != NULL ? content->data : "",
				content->length, &fd, err);

	if (status == 0 && more != NULL && more->length > 0)
		status = memfd_from("answer", more->data, more->length, &second, err);
	if (status < 0)
		return status;
	return chan_send(&validator->ledger, type, id, wr->data, wr->length,
			 (const int[]){fd, second}, second >= 0 ? 2 : 1, err);
}

static int answer_bad(struct validator *validator, uint64_t id, const struct request_bad *bad,
		      struct err *err)
{
	/* Each fault takes under 8 KiB even when every character needs an escape. */
	const size_t faults_bytes_max = (size_t)LIMIT_FAULTS * 8192;
	uint8_t body[2 * LIMIT_DETAIL_BYTES + 16];
	own_buf faults;
	struct jsonw json;
	struct wr wr;
	int status;

	buf_init(&faults, faults_bytes_max);
	jsonw_init(&json, &faults);
	faults_write(&validator->faults, &json);
	status = buf_check(&faults, err);
	if (status < 0)
		return status;
	wr_init(&wr, body, sizeof(body));
	request_bad_encode(&wr, bad);
	return answer(validator, REQUEST_BAD, id, &wr, &faults, NULL, err);
}

/* JSON members for the answer of the execution. Most code has no findings and needs none. */
static int write_findings(const struct verdict *verdict, const struct sanitised *sanitised,
			  const json_t *document, struct buf *members, struct err *err)
{
	const json_t *code = json_object_get(document, "code");
	struct jsonw json;

	if (verdict->findings.count == 0 && sanitised->count == 0)
		return 0;
	jsonw_init(&json, members);
	code_findings_write(&json, &verdict->findings, json_string_value(code),
			    json_string_length(code));
	sanitised_write(&json, sanitised);
	return buf_check(members, err);
}

static int answer_good(struct validator *validator, uint64_t id, struct request_good *good,
		       const struct buf *payload, const struct verdict *verdict,
		       const struct sanitised *sanitised, const json_t *document,
		       struct err *err)
{
	own_buf members;
	uint8_t body[256];
	struct wr wr;
	int status;

	buf_init(&members, LIMIT_FINDINGS_BYTES);
	status = write_findings(verdict, sanitised, document, &members, err);
	if (status < 0)
		return status;
	good->is_rejected = verdict->is_rejected;
	verdict_count(verdict, good->findings);
	wr_init(&wr, body, sizeof(body));
	request_good_encode(&wr, good);
	return answer(validator, REQUEST_GOOD, id, &wr, payload, &members, err);
}

/* Between what the schema has passed and everything that reads it. */
static int clean(json_t *document, struct sanitised *ret, struct err *err)
{
	const char *language = json_string_value(json_object_get(document, "language"));

	return sanitise(document, code_language_find(language) != CODE_LANGUAGES, ret, err);
}

/* What the worker is to hold to. Only a request's own lists can be too long: those of the
 * service are files of bounded size. */
static int add_guard(const struct verdict *verdict, const struct request_good *good,
		     struct buf *payload, struct request_bad *bad, struct faults *faults,
		     struct err *err)
{
	static const struct place place = {.key = "policy", .length = 6};
	struct err why = {0};

	if (verdict->is_rejected || !guard_is_needed(verdict->policy, good->language))
		return 0;
	if (guard_add(verdict->policy, payload, &why) < 0) {
		faults_init(faults);
		fault_hint(faults_add(faults, &place, "bytes", "%s", why.text),
			   "Name packages instead of their modules: an entry covers what is "
			   "below it.");
		return request_refuse(PROBLEM_INVALID, faults, bad);
	}
	return buf_check(payload, err);
}

/* Bytes to a document of that schema, clean. */
static int take_document(struct validator *validator, enum catalog_name schema,
			 const struct span *text, json_t **ret, struct sanitised *ret_changes,
			 struct request_bad *bad, struct err *err)
{
	int status = request_read(validator->catalog.schemas[schema], text->data, text->length,
				  ret, bad, &validator->faults, err);

	return status < 0 ? status : clean(*ret, ret_changes, err);
}

/* `policy` is the principal's, which the document may narrow. */
static int judge(struct validator *validator, const char *policy, json_t *document,
		 struct verdict *ret, struct request_bad *bad, struct err *err)
{
	struct faults *faults = &validator->faults;
	int status = verdict_begin(ret, &validator->rulebook, policy, document, faults, err);

	if (status == -EBADMSG)
		return request_refuse(PROBLEM_INVALID, faults, bad);
	return status < 0 ? status : verdict_reach(ret, &validator->rulebook, document, err);
}

/* Bytes to a typed job, then to a verdict on its code. */
static int check_request(struct validator *validator, uint64_t id, const struct span *text,
			 const struct check_request *ask, struct request_bad *bad,
			 struct err *err)
{
	struct faults *faults = &validator->faults;
	own_json *document = NULL;
	own_verdict verdict = {.policy = NULL};
	own_sanitised sanitised = {.count = 0};
	own_buf payload;
	struct request_good good;
	int status = take_document(validator, CATALOG_REQUEST, text, &document, &sanitised, bad,
				   err);

	buf_init(&payload, LIMIT_PAYLOAD_BYTES);
	if (status == 0)
		status = request_check(document, ask, &good, &payload, bad, faults, err);
	if (status == 0)
		status = judge(validator, ask->policy, document, &verdict, bad, err);
	if (status == 0)
		status = add_guard(&verdict, &good, &payload, bad, faults, err);
	if (status < 0)
		return status;
	return answer_good(validator, id, &good, &payload, &verdict, &sanitised, document, err);
}

static int serve_check_request(void *owner, struct msg *msg, struct err *err)
{
	struct validator *validator = owner;
	own_fd fd = msg_take_fd(msg, 0);
	own_span text = {.data = ""};
	struct check_request ask;
	struct request_bad bad;
	int status = check_request_decode(msg->body, msg->length, &ask, err);

	if (status == 0)
		status = memfd_map(fd, LIMIT_BODY_BYTES, &text, err);
	if (status < 0)
		return status;
	status = check_request(validator, msg->id, &text, &ask, &bad, err);
	return status == -EBADMSG ? answer_bad(validator, msg->id, &bad, err) : status;
}

/* Before the answer, so that the ledger knows all of them when that comes. */
static int send_kept_files(struct validator *validator, uint64_t id, struct err *err)
{
	uint8_t body[LIMIT_PATH_BYTES + 64];
	int status = 0;

	for (size_t i = 0; status == 0 && i < validator->writer.kept_count; i++) {
		const struct outcome_kept *kept = &validator->writer.kept[i];
		struct outcome_file file = {.offset = kept->offset, .size = kept->size};
		struct wr wr;

		memcpy(file.path, kept->path, kept->path_length);
		memcpy(file.sha256, kept->sha256, sizeof(file.sha256));
		wr_init(&wr, body, sizeof(body));
		outcome_file_encode(&wr, &file);
		status = chan_send(&validator->ledger, OUTCOME_FILE, id, wr.data, wr.length,
				   NULL, 0, err);
	}
	return status;
}

static void write_policies(struct jsonw *json, const struct policy *policy)
{
	jsonw_key(json, "policies");
	jsonw_array_open(json);
	for (; policy != NULL; policy = policy_narrows(policy))
		jsonw_str(json, policy_name(policy));
	jsonw_array_close(json);
}

static int answer_code(struct validator *validator, uint64_t id, const struct verdict *verdict,
		       const struct sanitised *sanitised, const json_t *document,
		       struct err *err)
{
	const json_t *code = json_object_get(document, "code");
	const char *language = json_string_value(json_object_get(document, "language"));
	struct code_good good = {.is_read = code_language_find(language) != CODE_LANGUAGES,
				 .is_rejected = verdict->is_rejected};
	own_buf members;
	uint8_t body[LIMIT_NAME_BYTES + 64];
	struct jsonw json;
	struct wr wr;
	int status;

	buf_init(&members, LIMIT_FINDINGS_BYTES);
	jsonw_init(&json, &members);
	jsonw_key_str(&json, "language", language);
	jsonw_key_str(&json, "verdict", verdict->is_rejected ? "rejected" : "accepted");
	write_policies(&json, verdict->policy);
	code_findings_write(&json, &verdict->findings, json_string_value(code),
			    json_string_length(code));
	sanitised_write(&json, sanitised);
	status = buf_check(&members, err);
	if (status < 0)
		return status;
	(void)snprintf(good.language, sizeof(good.language), "%s", language);
	verdict_count(verdict, good.findings);
	wr_init(&wr, body, sizeof(body));
	code_good_encode(&wr, &good);
	return answer(validator, CODE_GOOD, id, &wr, &members, NULL, err);
}

/* The verdict alone: nothing is decoded for a worker. */
static int check_code(struct validator *validator, uint64_t id, const struct span *text,
		      const struct check_code *ask, struct request_bad *bad, struct err *err)
{
	own_json *document = NULL;
	own_verdict verdict = {.policy = NULL};
	own_sanitised sanitised = {.count = 0};
	int status = take_document(validator, CATALOG_VALIDATION_REQUEST, text, &document,
				   &sanitised, bad, err);

	if (status == 0)
		status = judge(validator, ask->policy, document, &verdict, bad, err);
	return status < 0 ? status
			  : answer_code(validator, id, &verdict, &sanitised, document, err);
}

static int serve_check_code(void *owner, struct msg *msg, struct err *err)
{
	struct validator *validator = owner;
	own_fd fd = msg_take_fd(msg, 0);
	own_span text = {.data = ""};
	struct check_code ask;
	struct request_bad bad;
	int status = check_code_decode(msg->body, msg->length, &ask, err);

	if (status == 0)
		status = memfd_map(fd, LIMIT_BODY_BYTES, &text, err);
	if (status < 0)
		return status;
	status = check_code(validator, msg->id, &text, &ask, &bad, err);
	return status == -EBADMSG ? answer_bad(validator, msg->id, &bad, err) : status;
}

/* What was found before it ran stands beside what became of it; the ledger brings it back as it
 * got it from one of us. */
static int add_findings(struct buf *members, int fd, struct err *err)
{
	static const char none[] = "\"findings\":[],\"findings_truncated\":false,"
				   "\"sanitised\":[]";
	own_span found = {.data = none, .length = sizeof(none) - 1};
	int status = fd >= 0 ? memfd_map(fd, LIMIT_FINDINGS_BYTES, &found, err) : 0;

	if (status < 0)
		return status;
	buf_add_char(members, ',');
	buf_add(members, found.data, found.length);
	return buf_check(members, err);
}

static int serve_check_outcome(void *owner, struct msg *msg, struct err *err)
{
	struct validator *validator = owner;
	own_fd fd = msg_take_fd(msg, 0);
	own_fd findings_fd = msg->fd_count > 1 ? msg_take_fd(msg, 1) : -1;
	own_span bundle = {.data = ""};
	own_buf members;
	struct check_outcome ask;
	struct outcome_good good;
	uint8_t body[16];
	struct wr wr;
	int status = check_outcome_decode(msg->body, msg->length, &ask, err);

	buf_init(&members, LIMIT_FRAGMENT_BYTES);
	if (status == 0)
		status = memfd_map(fd, LIMIT_OUTCOME_BYTES, &bundle, err);
	if (status == 0)
		status = outcome_write(&validator->writer, &ask, &bundle, &members, err);
	if (status == 0)
		status = add_findings(&members, findings_fd, err);
	if (status == 0)
		status = send_kept_files(validator, msg->id, err);
	if (status < 0)
		return status;
	good.policy_denied = validator->writer.policy_denied;
	wr_init(&wr, body, sizeof(body));
	outcome_good_encode(&wr, &good);
	return answer(validator, OUTCOME_GOOD, msg->id, &wr, &members, NULL, err);
}

static const struct route ledger_routes[] = {
	{CHECK_REQUEST, SETUP_SERVING | SETUP_DRAINING, 1, 1, serve_check_request},
	{CHECK_OUTCOME, SETUP_SERVING | SETUP_DRAINING, 1, 2, serve_check_outcome},
	{CHECK_CODE, SETUP_SERVING | SETUP_DRAINING, 1, 1, serve_check_code},
};

/* The ledger is the only peer: without it there is nothing to do, and only the supervisor can
 * introduce us again. So a broken dialogue ends this process, and a fresh one takes its place.
 */
static void ledger_serve(struct chan *chan, struct msg *msg)
{
	struct validator *validator = chan->owner;
	struct err err = {0};

	if (route_dispatch(ledger_routes, ARRAY_COUNT(ledger_routes), validator->state,
			   validator, msg, &err) == 0)
		return;
	log_event(LOG_ERROR, "ledger_dropped", LOG_STR("reason", err.text),
		  LOG_INT("message", msg->type));
	chan_close(chan);
	stop(validator, 1);
}

static void send_drained(struct validator *validator)
{
	struct setup_drained drained = {0};
	uint8_t body[8];
	struct wr wr;

	wr_init(&wr, body, sizeof(body));
	setup_drained_encode(&wr, &drained);
	err_ignore(
		chan_send(&validator->setup, SETUP_DRAINED, 0, body, wr.length, NULL, 0, NULL),
		"the supervisor is gone: the end is the same");
	stop(validator, 0);
}

static void ledger_lost(struct chan *chan, const struct err *why)
{
	struct validator *validator = chan->owner;

	if (validator->state == SETUP_DRAINING) {
		send_drained(validator);
		return;
	}
	log_event(LOG_WARN, "ledger_lost", LOG_STR("reason", why->text));
}

static int open_ledger(struct validator *validator, int take_fd, struct err *err)
{
	chan_close(&validator->ledger); /* a second introduction replaces the first */
	validator->ledger.serve = ledger_serve;
	validator->ledger.lost = ledger_lost;
	validator->ledger.owner = validator;
	return chan_open(&validator->ledger, &validator->loop, take_fd, err);
}

/* --- set-up ------------------------------------------------------------------------------ */

static int send_ready(struct validator *validator, struct err *err)
{
	struct setup_ready ready = {.landlock_abi = validator->landlock_abi};
	uint8_t body[sizeof(ready) + 16];
	struct wr wr;

	wr_init(&wr, body, sizeof(body));
	setup_ready_encode(&wr, &ready);
	return chan_send(&validator->setup, SETUP_READY, 0, body, wr.length, NULL, 0, err);
}

static void send_failed(struct validator *validator, const struct err *why)
{
	struct setup_failed failed = {.detail = "?"};
	uint8_t body[LIMIT_DETAIL_BYTES + 16];
	struct wr wr;

	if (why->text[0] != '\0')
		(void)snprintf(failed.detail, sizeof(failed.detail), "%s", why->text);
	wr_init(&wr, body, sizeof(body));
	setup_failed_encode(&wr, &failed);
	err_ignore(
		chan_send(&validator->setup, SETUP_FAILED, 0, body, wr.length, NULL, 0, NULL),
		"the supervisor is gone: the end is the same");
}

static int serve_hello(void *owner, struct msg *msg, struct err *err)
{
	struct validator *validator = owner;
	int status = setup_hello_decode(msg->body, msg->length, &validator->hello, err);

	if (status < 0)
		return status;
	log_init("validator", (enum log_level)validator->hello.log_level);
	if (strcmp(validator->hello.build_id, CASEMATE_VERSION) != 0)
		return err_set(err, EPROTO, "the supervisor is of build %s, this is %s",
			       validator->hello.build_id, CASEMATE_VERSION);
	validator->state = SETUP_CONFIGURED;
	return 0;
}

static int serve_config(void *owner, struct msg *msg, struct err *err)
{
	struct validator *validator = owner;
	struct setup_validator_config config;
	int status = setup_validator_config_decode(msg->body, msg->length, &config, err);

	if (status < 0)
		return status;
	/* Schemas and rules belong to this build; a reload brings the same, and confined as it
	 * is the process could not read them. The descriptor of a reload closes with its
	 * message. */
	if (validator->state == SETUP_CONFIGURED) {
		fd_drop(&validator->schema_folder);
		validator->schema_folder = msg_take_fd(msg, 0);
	}
	fd_drop(&validator->pending_policies);
	validator->pending_policies = msg_take_fd(msg, 1);
	return 0;
}

static int serve_peer(void *owner, struct msg *msg, struct err *err)
{
	struct validator *validator = owner;
	struct setup_peer peer;
	int status = setup_peer_decode(msg->body, msg->length, &peer, err);

	if (status < 0)
		return status;
	if (peer.role != SETUP_ROLE_LEDGER)
		return err_set(err, EPROTO, "role %u is no peer of the validator", peer.role);
	if (validator->state != SETUP_CONFIGURED)
		return open_ledger(validator, msg_take_fd(msg, 0), err);
	fd_drop(&validator->pending_ledger);
	validator->pending_ledger = msg_take_fd(msg, 0);
	return 0;
}

/* Puts the policies of the last configuration into force; without a new one nothing changes. */
static int adopt_policies(struct validator *validator, struct err *err)
{
	own_fd fd = fd_take(&validator->pending_policies);
	own_span text = {.data = ""};
	int status = 0;

	if (fd < 0)
		return 0;
	status = memfd_map(fd, RULEBOOK_POLICIES_BYTES_MAX, &text, err);
	return status < 0 ? status
			  : rulebook_adopt(&validator->rulebook, text.data, text.length, err);
}

/* Everything that opens a file or fetches an algorithm happens before confinement. */
static int prepare(struct validator *validator, struct err *err)
{
	size_t seed;
	int status;

	if (validator->schema_folder < 0)
		return err_set(err, EPROTO, "COMMIT came before the schema folder");
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return err_errno(err, errno, "seed the hash tables");
	json_guard_seed(seed);
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES);
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) !=
	    1)
		return err_set(err, EIO, "start libcrypto");
	status = catalog_load(&validator->catalog, validator->schema_folder, err);
	if (status == 0)
		status = outcome_writer_init(&validator->writer,
					     validator->catalog.schemas[CATALOG_REPORT], err);
	if (status == 0)
		status = rulebook_load(&validator->rulebook, &validator->catalog,
				       validator->schema_folder, err);
	if (status == 0)
		status = adopt_policies(validator, err);
	fd_drop(&validator->schema_folder);
	return status;
}

/* The order is that of base/confine.h; the last step tries what must now fail. */
static int confine(struct validator *validator, struct err *err)
{
	int status = confine_uid(validator->hello.host_uid, err);

	if (status == 0)
		status = enclose(validator->hello.landlock_abi_min, &validator->landlock_abi,
				 err);
	return status;
}

/* A reload: on failure the policies in force stay, and so do we. */
static int commit_again(struct validator *validator, struct err *err)
{
	if (adopt_policies(validator, err) == 0)
		return send_ready(validator, err);
	log_event(LOG_ERROR, "reload_refused", LOG_STR("reason", err->text));
	send_failed(validator, err);
	return 0;
}

static int serve_commit(void *owner, struct msg *msg, struct err *err)
{
	struct validator *validator = owner;
	struct setup_commit commit;
	int status = setup_commit_decode(msg->body, msg->length, &commit, err);

	if (status < 0 || validator->state != SETUP_CONFIGURED)
		return status < 0 ? status : commit_again(validator, err);
	status = prepare(validator, err);
	if (status == 0)
		status = confine(validator, err);
	if (status == 0 && validator->pending_ledger >= 0)
		status = open_ledger(validator, fd_take(&validator->pending_ledger), err);
	if (status < 0)
		return status;
	validator->state = SETUP_SERVING;
	return send_ready(validator, err);
}

static void drain_fire(struct loop *loop, struct timer *timer)
{
	(void)loop;
	send_drained(timer->owner);
}

/* The ledger still needs answers for the jobs that run, so it is the ledger's end that ends the
 * draining, or the deadline. */
static int serve_drain(void *owner, struct msg *msg, struct err *err)
{
	struct validator *validator = owner;
	struct setup_drain drain;
	int status = setup_drain_decode(msg->body, msg->length, &drain, err);

	if (status < 0)
		return status;
	validator->state = SETUP_DRAINING;
	if (validator->ledger.fd < 0) {
		send_drained(validator);
		return 0;
	}
	validator->drain.fire = drain_fire;
	validator->drain.owner = validator;
	loop_timer_start(&validator->loop, &validator->drain,
			 (uint64_t)drain.deadline_ms * 1000);
	return 0;
}

static const struct route setup_routes[] = {
	{SETUP_HELLO, SETUP_NEW, 0, 0, serve_hello},
	{SETUP_VALIDATOR_CONFIG, SETUP_CONFIGURED | SETUP_SERVING | SETUP_DRAINING, 2, 2,
	 serve_config},
	{SETUP_PEER, SETUP_CONFIGURED | SETUP_SERVING | SETUP_DRAINING, 1, 1, serve_peer},
	{SETUP_COMMIT, SETUP_CONFIGURED | SETUP_SERVING | SETUP_DRAINING, 0, 0, serve_commit},
	{SETUP_DRAIN, SETUP_SERVING | SETUP_DRAINING, 0, 0, serve_drain},
};

static void setup_serve(struct chan *chan, struct msg *msg)
{
	struct validator *validator = chan->owner;
	struct err err = {0};

	if (route_dispatch(setup_routes, ARRAY_COUNT(setup_routes), validator->state, validator,
			   msg, &err) == 0)
		return;
	log_event(LOG_ERROR, "setup_failed", LOG_STR("reason", err.text),
		  LOG_INT("message", msg->type));
	send_failed(validator, &err);
	stop(validator, 1);
}

/* Without a supervisor nobody would restart or stop this process. */
static void setup_lost(struct chan *chan, const struct err *why)
{
	(void)why;
	stop(chan->owner, 1);
}

static int run(struct validator *validator, int take_fd, struct err *err)
{
	own_fd fd = take_fd;
	int status = loop_init(&validator->loop, err);

	if (status < 0)
		return status;
	validator->setup.serve = setup_serve;
	validator->setup.lost = setup_lost;
	validator->setup.owner = validator;
	status = chan_open(&validator->setup, &validator->loop, fd_take(&fd), err);
	if (status == 0)
		status = loop_run(&validator->loop, err);
	chan_close(&validator->ledger);
	chan_close(&validator->setup);
	loop_done(&validator->loop);
	return status;
}

int process_serve(int take_fd)
{
	static struct validator validator = {
		.state = SETUP_NEW,
		.setup = {.fd = -1},
		.ledger = {.fd = -1},
		.schema_folder = -1,
		.pending_policies = -1,
		.pending_ledger = -1,
		.loop = {.epoll_fd = -1},
	};
	struct err err = {0};

	log_init("validator", LOG_INFO);
	if (run(&validator, take_fd, &err) < 0) {
		log_event(LOG_ERROR, "failed", LOG_STR("reason", err.text));
		validator.exit_code = 1;
	}
	fd_drop(&validator.schema_folder);
	fd_drop(&validator.pending_policies);
	fd_drop(&validator.pending_ledger);
	outcome_writer_done(&validator.writer);
	rulebook_done(&validator.rulebook);
	catalog_done(&validator.catalog);
	return validator.exit_code;
}
