/*
 * tests/fuzz/schemas.h - the schemas for fuzz targets, which run from the top of the checkout.
 */
#ifndef TESTS_FUZZ_SCHEMAS_H
#define TESTS_FUZZ_SCHEMAS_H

#include <assert.h>
#include <fcntl.h>

#include "validator/catalog.h"

static inline const struct schema *fuzz_schema(enum catalog_name which)
{
	static struct catalog catalog;

	if (catalog.schemas[which] == NULL) {
		int folder = open("schema/v1", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int status = catalog_load(&catalog, folder, NULL);

		assert(folder >= 0 && status == 0);
		(void)close(folder);
	}
	return catalog.schemas[which];
}

#endif
