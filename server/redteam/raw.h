/*
 * server/redteam/raw.h - protocol probes: bytes of our own choice to the service, and the TLS
 * connections that it must refuse.
 */
#ifndef SERVER_REDTEAM_RAW_H
#define SERVER_REDTEAM_RAW_H

#include "server/redteam/attack.h"

nodiscard int raw_attack(struct target *target, const struct probe *probe, struct verdict *ret,
			 struct err *err);

/* The bytes that a probe's text stands for: \r \n \0 \\ \xHH, {repeat N TEXT}, {length} (of
 * what follows the first empty line). A newline of the file itself is CR LF, and nothing after
 * a backslash. */
nodiscard int raw_bytes(const char *text, struct buf *ret, struct err *err);

#endif
