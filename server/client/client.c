#include "server/client/client.h"

#include <sys/socket.h>

#include "schema/limits.h"

#define CONNECT_MS 10000L

/* The longest address is a file's whose path is escaped throughout. */
#define HREF_BYTES (46 + 3 * LIMIT_PATH_BYTES)

static size_t take_chunk(char *data, size_t size, size_t count, void *target)
{
	struct buf *answer = target;

	buf_add(answer, data, size * count);
	return buf_check(answer, NULL) == 0 ? size * count : 0;
}

static int note_socket(void *owner, curl_socket_t fd, curlsocktype purpose)
{
	struct client *client = owner;

	(void)purpose;
	atomic_store(&client->socket_fd, fd);
	return CURL_SOCKOPT_OK;
}

static int set_up(struct client *client)
{
	const struct place *place = client->place;
	CURL *curl = client->curl;
	int bad = 0;

	bad |= curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->error_text) != CURLE_OK;
	bad |= curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers) != CURLE_OK;
	bad |= curl_easy_setopt(curl, CURLOPT_SSLCERT, place->certificate) != CURLE_OK;
	bad |= curl_easy_setopt(curl, CURLOPT_SSLKEY, place->key) != CURLE_OK;
	bad |= curl_easy_setopt(curl, CURLOPT_CAINFO, place->authority) != CURLE_OK;
	bad |= curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) != CURLE_OK;
	bad |= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) != CURLE_OK;
	bad |= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_chunk) != CURLE_OK;
	bad |= curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, note_socket) != CURLE_OK;
	bad |= curl_easy_setopt(curl, CURLOPT_SOCKOPTDATA, client) != CURLE_OK;
	/* A proxy would see the code, or break the client certificate. */
	bad |= curl_easy_setopt(curl, CURLOPT_PROXY, "") != CURLE_OK;
	return bad ? -EINVAL : 0;
}

int client_open(struct client *client, const struct place *place, struct err *err)
{
	struct curl_slist *first;

	*client = (struct client){.place = place, .curl = curl_easy_init(), .socket_fd = -1};
	first = curl_slist_append(NULL, "Content-Type: application/json");
	/* No "100 Continue" round: the service answers early by itself when it refuses. */
	if (first != NULL)
		client->headers = curl_slist_append(first, "Expect:");
	if (client->headers == NULL)
		curl_slist_free_all(first);
	if (client->curl != NULL && client->headers != NULL && set_up(client) == 0)
		return 0;
	client_close(client);
	return err_set(err, ENOMEM, "libcurl cannot be set up");
}

void client_hang_up(struct client *client)
{
	int fd = atomic_load(&client->socket_fd);

	if (fd >= 0)
		(void)shutdown(fd, SHUT_RDWR);
}

void client_close(struct client *client)
{
	if (client->curl != NULL)
		curl_easy_cleanup(client->curl);
	curl_slist_free_all(client->headers);
	*client = (struct client){.socket_fd = -1};
}

static int perform(struct client *client, const char *path, struct buf *ret_answer,
		   long *ret_status, struct err *err)
{
	char url[PLACE_URL_MAX + HREF_BYTES];
	CURLcode code = CURLE_FAILED_INIT;

	client->error_text[0] = '\0';
	if ((size_t)snprintf(url, sizeof(url), "%s%s", client->place->url, path) >= sizeof(url))
		return err_set(err, ENAMETOOLONG, "the address is too long");
	if (curl_easy_setopt(client->curl, CURLOPT_URL, url) == CURLE_OK &&
	    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, ret_answer) == CURLE_OK)
		code = curl_easy_perform(client->curl);
	client->code = code;
	if (code != CURLE_OK)
		return err_set(err, EIO, "%s: %s", client->place->url,
			       client->error_text[0] != '\0' ? client->error_text
							     : curl_easy_strerror(code));
	(void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, ret_status);
	return 0;
}

int client_post(struct client *client, const char *path, const char *body, size_t length,
		struct buf *ret_answer, long *ret_status, struct err *err)
{
	buf_init(ret_answer, LIMIT_FRAGMENT_BYTES);
	if (curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, body) != CURLE_OK ||
	    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length) !=
		    CURLE_OK)
		return err_set(err, EINVAL, "libcurl takes no body of %zu bytes", length);
	return perform(client, path, ret_answer, ret_status, err);
}

int client_get(struct client *client, const char *path, struct buf *ret_answer,
	       long *ret_status, struct err *err)
{
	/* A result file is the largest there is to get. */
	buf_init(ret_answer, LIMIT_FILES_READ_BYTES);
	if (curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L) != CURLE_OK)
		return err_set(err, EINVAL, "libcurl takes no GET");
	return perform(client, path, ret_answer, ret_status, err);
}
