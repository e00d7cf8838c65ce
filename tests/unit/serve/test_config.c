#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "schema/status.h"
#include "server/supervisor/config.h"

TestSuite(config, .timeout = 10);

static const char good[] =
	"{\"tls\":{\"server_certificate\":\"c\",\"server_key\":\"k\",\"client_ca\":\"a\","
	"\"crl\":null,\"tls12\":true},\"list\":[\"landlock\",\"seccomp\"],\"n\":{\"m\":7}}";

static char folder[] = "/tmp/casemate-unit-XXXXXX";
static char path[64];

static void make_files(const char *content)
{
	static const char *const names[] = {"c", "k", "a"};

	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	(void)snprintf(path, sizeof(path), "%s/x.json", folder);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		char name[64];
		own_fd fd = -1;

		(void)snprintf(name, sizeof(name), "%s/%s", folder, names[i]);
		fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		cr_assert(eq(int, (int)write(fd, content, strlen(content)),
			     (int)strlen(content)));
	}
}

static void remove_files(void)
{
	static const char *const names[] = {"c", "k", "a"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "%s/%s", folder, names[i]);
		(void)unlink(name);
	}
	(void)rmdir(folder);
}

Test(config, members_are_found_by_their_path)
{
	struct config config = CONFIG_EMPTY;

	make_files("pem");
	cr_assert(eq(int, config_load(&config, path, good, strlen(good), NULL), 0));
	remove_files();

	cr_assert(eq(u64, config_number(&config, "n.m"), 7));
	cr_assert(eq(u64, config_number(&config, "tls.tls12"), 1));
	cr_assert(eq(u64, config_number(&config, "no.such"), 0));
	cr_assert(eq(str, (char *)(uintptr_t)config_text(&config, "tls.server_key"), "k"));
	cr_assert(eq(ptr, (void *)(uintptr_t)config_text(&config, "tls.crl"), NULL));
	cr_assert(eq(uint, config_layers(&config, "list"), LAYER_LANDLOCK | LAYER_SECCOMP));
	cr_assert(ge(int, config.keys[CONFIG_KEY], 0));
	cr_assert(eq(int, config.keys[CONFIG_CRL], -1));
	config_done(&config);
	config_done(&config);
}

Test(config, an_empty_or_missing_key_file_is_an_error_that_names_its_member)
{
	struct config config = CONFIG_EMPTY;
	struct err err = {0};

	make_files("");
	cr_assert(lt(int, config_load(&config, path, good, strlen(good), &err), 0));
	cr_assert(ne(ptr, strstr(err.text, "tls.server_certificate"), NULL));
	remove_files();
	cr_assert(lt(int, config_load(&config, path, good, strlen(good), &err), 0));

	cr_assert(eq(ptr, config.root, NULL));
}
