/*
 * validator/code/policy_files.h - policies that lie in files, completed and ready to be
 * compiled.
 */
#ifndef VALIDATOR_CODE_POLICY_FILES_H
#define VALIDATOR_CODE_POLICY_FILES_H

#include <jansson.h>

#include "base/err.h"
#include "validator/schema.h"

/* One document, bytes: lists of a few thousand names. */
#define POLICY_FILE_BYTES_MAX (256u << 10)

/* Adds every NAME.json of `folder` to `documents` as NAME. -EINVAL names the file and its
 * fault. */
nodiscard int policy_files_load(int folder, const struct schema *schema, json_t *documents,
				struct err *err);

/* Adds one file as `name`. */
nodiscard int policy_file_add(int folder, const char *path, const char *name,
			      const struct schema *schema, json_t *documents, struct err *err);

#endif
