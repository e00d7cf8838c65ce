/*
 * tests/fuzz/fuzz_config.c - configuration files. One that is accepted is, completed, accepted
 * again without a change.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/schemas.h"
#include "validator/code/policy_files.h"
#include "validator/config.h"
#include "validator/json_guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *installed(void)
{
	static json_t *policies;

	if (policies == NULL) {
		int folder = open("validator/policies", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int status;

		policies = json_object();
		status = policy_files_load(folder, fuzz_schema(CATALOG_POLICY), policies, NULL);
		assert(folder >= 0 && status == 0);
		(void)close(folder);
	}
	return policies;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct faults faults;
	own_json *config = NULL;
	own_json *again = NULL;
	char *text;
	int status = config_check(fuzz_schema(CATALOG_CONFIG), installed(), NULL,
				  (const char *)data, size, &config, &faults);

	if (status != 0) {
		assert(status == -EBADMSG && faults.count > 0);
		return 0;
	}
	text = json_dumps(config, 0);
	assert(text != NULL);
	status = config_check(fuzz_schema(CATALOG_CONFIG), installed(), NULL, text,
			      strlen(text), &again, &faults);
	assert(status == 0 && json_equal(config, again) == 1);
	free(text);
	return 0;
}
