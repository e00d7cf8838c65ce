#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "server/certs/command.h"

static char folder[] = "/tmp/casemate-certs-XXXXXX";

static void make_folder(void)
{
	cr_assert(not(zero(ptr, mkdtemp(folder))));
	/* What the commands print is for people. */
	cr_assert(not(zero(ptr, freopen("/dev/null", "w", stdout))));
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

static void remove_folder(void)
{
	(void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(certs, .timeout = 20, .init = make_folder, .fini = remove_folder);

static struct certs_options options(const char *name)
{
	return (struct certs_options){.pki = folder, .name = name, .role = "executor"};
}

static void run(int (*command)(const struct certs_options *options, struct err *err),
		const struct certs_options *with)
{
	struct err err = {0};
	int status = command(with, &err);

	cr_assert(eq(int, status, 0), "%s", err.text);
}

static X509 *load(const char *name)
{
	struct store store = {.fd = -1};
	X509 *certificate = NULL;
	struct err err = {0};

	cr_assert(eq(int, store_open(&store, folder, false, &err), 0));
	cr_assert(eq(int, store_load_certificate(&store, name, &certificate, &err), 0), "%s",
		  err.text);
	store_close(&store);
	return certificate;
}

static int crl_has(const char *name)
{
	struct store store = {.fd = -1};
	X509 *certificate = load(name);
	X509_CRL *crl = NULL;
	struct err err = {0};
	int has;

	cr_assert(eq(int, store_open(&store, folder, false, &err), 0));
	cr_assert(eq(int, store_load_crl(&store, &crl, &err), 0));
	cr_assert(not(zero(ptr, crl)));
	has = make_crl_has(crl, certificate);
	X509_CRL_free(crl);
	X509_free(certificate);
	store_close(&store);
	return has;
}

static int mode_of(const char *file)
{
	char path[128];
	struct stat info;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, file);
	cr_assert(eq(int, stat(path, &info), 0), "%s", file);
	return (int)(info.st_mode & 0777);
}

Test(certs, init_makes_a_fit_pki_with_private_keys)
{
	struct certs_options with = options(NULL);
	X509 *ca, *server, *client;

	run(certs_init, &with);
	ca = load("ca");
	server = load("server");
	client = load("client");

	cr_expect(eq(int, X509_check_purpose(ca, X509_PURPOSE_SSL_CLIENT, 1), 1));
	cr_expect(eq(long, X509_get_pathlen(ca), 0));
	cr_expect(eq(int, X509_check_purpose(server, X509_PURPOSE_SSL_SERVER, 0), 1));
	cr_expect(eq(int, X509_check_purpose(server, X509_PURPOSE_SSL_CLIENT, 0), 0));
	cr_expect(eq(int, X509_check_purpose(client, X509_PURPOSE_SSL_CLIENT, 0), 1));
	cr_expect(eq(int, X509_check_purpose(client, X509_PURPOSE_SSL_SERVER, 0), 0));
	cr_expect(eq(int, X509_check_host(server, "localhost", 0, 0, NULL), 1));
	cr_expect(eq(int, X509_check_ip_asc(server, "127.0.0.1", 0), 1));
	cr_expect(eq(int, X509_check_ip_asc(server, "::1", 0), 1));
	cr_expect(eq(int, X509_verify(server, X509_get0_pubkey(ca)), 1));
	cr_expect(eq(int, X509_verify(client, X509_get0_pubkey(ca)), 1));
	cr_expect(lt(int, X509_cmp_current_time(X509_get0_notBefore(client)), 0));
	cr_expect(eq(int, mode_of("ca.key"), 0600));
	cr_expect(eq(int, mode_of("server.key"), 0600));
	cr_expect(eq(int, mode_of("client.key"), 0600));
	cr_expect(eq(int, crl_has("client"), 0));
	X509_free(ca);
	X509_free(server);
	X509_free(client);
}

Test(certs, init_again_keeps_everything)
{
	struct certs_options with = options(NULL);
	X509 *before, *after;

	run(certs_init, &with);
	before = load("server");
	run(certs_init, &with);
	after = load("server");

	cr_expect(eq(int, X509_cmp(before, after), 0));
	X509_free(before);
	X509_free(after);
}

Test(certs, renew_replaces_only_what_does_not_fit)
{
	struct certs_options with = options(NULL);
	struct err err = {0};
	X509 *client, *again, *server;

	run(certs_init, &with);
	client = load("client");
	with.hosts[with.host_count++] = "box.example";
	cr_expect(eq(int, certs_init(&with, &err), -EEXIST));
	with.is_renewing = true;
	run(certs_init, &with);
	server = load("server");
	again = load("client");

	cr_expect(eq(int, X509_check_host(server, "box.example", 0, 0, NULL), 1));
	cr_expect(eq(int, X509_cmp(client, again), 0));
	X509_free(client);
	X509_free(again);
	X509_free(server);
}

Test(certs, issue_refuses_to_overwrite)
{
	struct certs_options with = options("bob");
	struct certs_options init = options(NULL);
	struct err err = {0};

	run(certs_init, &init);
	run(certs_issue, &with);
	cr_expect(eq(int, certs_issue(&with, &err), -EEXIST));
	with.is_forced = true;
	run(certs_issue, &with);
}

Test(certs, revoked_stays_revoked)
{
	struct certs_options init = options(NULL);
	struct certs_options bob = options("bob");
	struct certs_options eve = options("eve");

	run(certs_init, &init);
	run(certs_issue, &bob);
	run(certs_issue, &eve);
	run(certs_revoke, &bob);
	run(certs_revoke, &bob);
	run(certs_crl, &init);
	run(certs_revoke, &eve);

	cr_expect(eq(int, crl_has("bob"), 1));
	cr_expect(eq(int, crl_has("eve"), 1));
	cr_expect(eq(int, crl_has("client"), 0));
}

Test(certs, nothing_outlives_the_ca)
{
	struct certs_options init = options(NULL);
	struct certs_options bob = options("bob");
	X509 *ca, *leaf;

	run(certs_init, &init);
	bob.not_after = time(NULL) + (time_t)30 * 366 * 86400;
	run(certs_issue, &bob);
	ca = load("ca");
	leaf = load("bob");

	cr_expect(eq(int, ASN1_TIME_compare(X509_get0_notAfter(leaf), X509_get0_notAfter(ca)),
		     0));
	X509_free(ca);
	X509_free(leaf);
}

Test(certs, a_missing_half_of_the_ca_is_named)
{
	struct certs_options init = options(NULL);
	struct err err = {0};
	char path[128];

	run(certs_init, &init);
	(void)snprintf(path, sizeof(path), "%s/ca.key", folder);
	cr_assert(eq(int, unlink(path), 0));

	cr_expect(eq(int, certs_init(&init, &err), -EEXIST));
	cr_expect(not(zero(ptr, strstr(err.text, "ca.key"))));
}

Test(certs, slips_on_the_command_line_are_caught)
{
	static const char *const bad_names[] = {"",   "a/b", "../a", ".a",
						"-a", "ca",  "a b",  "a\n"};
	static const char *const bad_uris[] = {"http://a/b", "spiffe://a", "spiffe:///b",
					       "spiffe://a/", "spiffe://a/b c"};
	static const char *const bad_times[] = {"", "2026-01-02", "2026-01-02T03:04:05",
						"2026-13-02T03:04:05Z",
						"2026-01-02T03:04:05Zx"};

	for (size_t i = 0; i < ARRAY_COUNT(bad_names); i++)
		cr_expect(eq(int, certs_name_fault(bad_names[i]) != NULL, 1), "'%s'",
			  bad_names[i]);
	for (size_t i = 0; i < ARRAY_COUNT(bad_uris); i++)
		cr_expect(eq(int, certs_uri_fault(bad_uris[i]) != NULL, 1), "'%s'",
			  bad_uris[i]);
	for (size_t i = 0; i < ARRAY_COUNT(bad_times); i++)
		cr_expect(eq(long, (long)certs_time(bad_times[i]), -1), "'%s'", bad_times[i]);
	cr_expect(eq(int, certs_name_fault("bob-1.x_y") == NULL, 1));
	cr_expect(eq(int, certs_uri_fault("spiffe://a.b/c/d") == NULL, 1));
	cr_expect(eq(int, certs_role_fault("root") != NULL, 1));
	cr_expect(eq(int, certs_host_fault("a,b") != NULL, 1));
	cr_expect(eq(int, certs_host_fault("::1") == NULL, 1));
	cr_expect(eq(long, (long)certs_time("1970-01-02T00:00:00Z"), 86400));
}
