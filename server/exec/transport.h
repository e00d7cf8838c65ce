/*
 * server/exec/transport.h - one request over mutual TLS.
 */
#ifndef SERVER_EXEC_TRANSPORT_H
#define SERVER_EXEC_TRANSPORT_H

#include "base/buf.h"
#include "server/exec/options.h"

/* Sends `body` and waits for the answer, whatever its status. */
nodiscard int transport_post(const struct options *options, const char *body, size_t length,
			     struct buf *ret_answer, long *ret_status, struct err *err);

/* Fetches a path of the service. */
nodiscard int transport_get(const struct options *options, const char *path,
			    struct buf *ret_answer, long *ret_status, struct err *err);

#endif
