/*
 * server/client/client.h - mutual TLS to one service by libcurl, kept alive.
 *
 * Trusts nothing that comes back: an answer is bytes with a maximum and a status.
 */
#ifndef SERVER_CLIENT_CLIENT_H
#define SERVER_CLIENT_CLIENT_H

#include <curl/curl.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "server/client/place.h"

/* One connection; not for two threads at once. */
struct client {
	CURL *curl;
	struct curl_slist *headers;
	const struct place *place; /* borrowed */
	char error_text[CURL_ERROR_SIZE];
	CURLcode code;	      /* how the last request ended */
	atomic_int socket_fd; /* borrowed from libcurl; -1: not connected yet */
};

nodiscard int client_open(struct client *client, const struct place *place, struct err *err);
void client_close(struct client *client);

/* From another thread: hangs up on a request that is under way, which then fails there. */
void client_hang_up(struct client *client);

#define own_client __attribute__((cleanup(client_close))) struct client

/* POST to `path` ("/v1/executions"); any HTTP status is an answer. ret_answer is initialised
 * here and the caller's to free. */
nodiscard int client_post(struct client *client, const char *path, const char *body,
			  size_t length, struct buf *ret_answer, long *ret_status,
			  struct err *err);

nodiscard int client_get(struct client *client, const char *path, struct buf *ret_answer,
			 long *ret_status, struct err *err);

#endif
