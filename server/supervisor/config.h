/*
 * server/supervisor/config.h - the configuration as the supervisor reads it.
 *
 * The document comes from `casemate-validator config`, which has checked it against
 * config.schema.json and filled in every default; so a member that is asked for here exists and
 * has its type and range. Paths inside are relative to the folder of the file.
 */
#ifndef SERVER_SUPERVISOR_CONFIG_H
#define SERVER_SUPERVISOR_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define CONFIG_BYTES_MAX \
	(64u << 20) /* the checked document; 10,000 principals take about 3 MB */

/* The files of the front, in the order of SETUP_FRONT_KEYS. */
enum config_key { CONFIG_CHAIN, CONFIG_KEY, CONFIG_CA, CONFIG_CRL, CONFIG_KEY_MAX };

#define CONFIG_KEY_BYTES_MAX (16u << 20) /* a revocation list of 300,000 entries */

struct config {
	json_t *root;  /* owned; NULL while empty */
	int folder_fd; /* owned; the folder of the file */
	/* Sealed copies, owned, -1: none. A front that restarts gets those that were accepted,
	 * whatever lies on the disk by then; and a reload that is refused can go back. */
	int keys[CONFIG_KEY_MAX];
};

/* What a struct config holds before config_load(). */
#define CONFIG_EMPTY                                                      \
	{                                                                 \
		.root = NULL, .folder_fd = -1, .keys = { -1, -1, -1, -1 } \
	}

/* Parses the checked document of the file `path` and reads the files it names. Nothing is kept
 * on failure. */
nodiscard int config_load(struct config *ret, const char *path, const char *text, size_t length,
			  struct err *err);

/* Legal on an empty one, which it becomes. */
void config_done(struct config *config);

/* `path` is dotted: "tls.handshake_timeout_ms". A member that is not there reads as 0, NULL. */
json_t *config_get(const struct config *config, const char *path);
uint64_t config_number(const struct config *config, const char *path);
const char *config_text(const struct config *config, const char *path);

/* Members of an object that is part of the document. */
uint64_t config_member(const json_t *object, const char *name);
const char *config_member_text(const json_t *object, const char *name);

/* A list of layer names as LAYER_* bits. */
uint32_t config_layers(const struct config *config, const char *path);

/* Opens the file or folder that member `path` names. */
nodiscard int config_open(const struct config *config, const char *path, int flags, int *ret_fd,
			  struct err *err);

#endif
