/*
 * server/ledger/ledger_main.c - casemate-ledger: the hub of the service, and two tools that
 * work on its database from outside: `migrate` and `verify`.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "server/ledger/ledger.h"
#include "server/ledger/verify.h"

static const char usage[] =
	"usage: casemate-ledger            the service's ledger, started by `casemate serve`\n"
	"       casemate-ledger migrate DB bring the schema of DB up to date, and say how\n"
	"       casemate-ledger verify DB  walk the chain of records; exit 1 where it is "
	"broken\n"
	"       casemate-ledger --version\n";

static int fail(const struct err *err)
{
	(void)fprintf(stderr, "casemate-ledger: %s\n", err->text);
	return 2;
}

static void said(const char *name)
{
	(void)printf("applied %s\n", name);
}

static int migrate(const char *path)
{
	own_migrations migrations = {0};
	own_database db = {0};
	struct err err = {0};

	if (digest_init(&err) < 0 || migrations_read_own(&migrations, &err) < 0 ||
	    database_open(&db, path, &err) < 0 ||
	    migrations_apply(&migrations, &db, said, &err) < 0)
		return fail(&err);
	(void)printf("%s is at migration %s\n", path,
		     migrations.list[migrations.count - 1].name);
	return 0;
}

static void print_hash(const uint8_t hash[DIGEST_BYTES])
{
	for (size_t i = 0; i < DIGEST_BYTES; i++)
		(void)printf("%02x", hash[i]);
	(void)printf("\n");
}

static int verify(const char *path)
{
	own_database db = {0};
	struct verdict verdict;
	struct err err = {0};

	if (digest_init(&err) < 0 || database_open_readonly(&db, path, &err) < 0 ||
	    verify_chain(&db, &verdict, &err) < 0)
		return fail(&err);
	if (!verdict.is_intact)
		(void)printf("broken at record %llu: %s\n", (unsigned long long)verdict.intact,
			     verdict.reason);
	(void)printf("intact: %llu records", (unsigned long long)verdict.intact);
	if (verdict.intact > 0) {
		(void)printf(", the last has hash ");
		print_hash(verdict.hash);
	} else {
		(void)printf("\n");
	}
	return verdict.is_intact ? 0 : 1;
}

static void after_round(struct loop *loop)
{
	struct ledger *ledger = loop->owner;

	/* Nothing can be queued before the first COMMIT, and nothing could be written. */
	if (ledger->db.handle != NULL)
		round_end(ledger);
}

static int serve(void)
{
	/* Large arrays: not on the stack. */
	static struct ledger ledger;
	struct err err = {0};
	int status = digest_init(&err);

	log_init("ledger", LOG_INFO);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* a file size limit is a write error, not an end */
	if (status == 0)
		status = loop_init(&ledger.loop, &err);
	if (status == 0) {
		metrics_init(&ledger.metrics);
		digest_queue_init(&ledger.digests, &ledger.loop);
		round_init(&ledger);
		refusals_init(&ledger);
		executions_init(&ledger.executions);
		gate_init(&ledger);
		validators_init(&ledger);
		warden_init(&ledger);
		ledger.loop.owner = &ledger;
		status = setup_open(&ledger, &err);
	}
	if (status == 0) {
		ledger.loop.after_round = after_round;
		status = loop_run(&ledger.loop, &err);
	}
	if (status < 0)
		log_event(LOG_ERROR, "failed", LOG_STR("reason", err.text));
	round_done(&ledger);
	peers_close(&ledger);
	staging_done(&ledger.setup.staging);
	config_done(&ledger.config);
	files_close(&ledger.files);
	database_close(&ledger.db);
	loop_done(&ledger.loop);
	return status < 0 ? 1 : ledger.setup.exit_code;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return serve();
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("casemate-ledger %s\n", CASEMATE_VERSION);
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "migrate") == 0)
		return migrate(argv[2]);
	if (argc == 3 && strcmp(argv[1], "verify") == 0)
		return verify(argv[2]);
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		(void)fputs(usage, stdout);
		return 0;
	}
	(void)fputs(usage, stderr);
	return 2;
}
