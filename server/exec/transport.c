#include "server/exec/transport.h"

#include <curl/curl.h>

#include "schema/limits.h"

#define CONNECT_MS 10000L

static size_t take_chunk(char *data, size_t size, size_t count, void *target)
{
	struct buf *answer = target;

	buf_add(answer, data, size * count);
	return buf_check(answer, NULL) == 0 ? size * count : 0;
}

/* The longest address is a file's whose path is escaped throughout. */
#define HREF_BYTES (45 + 3 * LIMIT_PATH_BYTES)

static int set_up(CURL *curl, const struct options *options, const char *path,
		  struct curl_slist *headers, char *error_text)
{
	char url[OPTIONS_URL_MAX + HREF_BYTES + 1];
	int bad = 0;

	if ((size_t)snprintf(url, sizeof(url), "%s%s", options->url, path) >= sizeof(url))
		return -ENAMETOOLONG;
	bad |= curl_easy_setopt(curl, CURLOPT_URL, url) != CURLE_OK;
	bad |= curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_text) != CURLE_OK;
	bad |= curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) != CURLE_OK;
	bad |= curl_easy_setopt(curl, CURLOPT_SSLCERT, options->certificate) != CURLE_OK;
	bad |= curl_easy_setopt(curl, CURLOPT_SSLKEY, options->key) != CURLE_OK;
	bad |= curl_easy_setopt(curl, CURLOPT_CAINFO, options->authority) != CURLE_OK;
	bad |= curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) != CURLE_OK;
	bad |= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) != CURLE_OK;
	/* A proxy would see the code, or break the client certificate. */
	bad |= curl_easy_setopt(curl, CURLOPT_PROXY, "") != CURLE_OK;
	return bad ? -EINVAL : 0;
}

static int perform(CURL *curl, const char *body, size_t length, struct buf *ret_answer)
{
	if (body != NULL && (curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body) != CURLE_OK ||
			     curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
					      (curl_off_t)length) != CURLE_OK))
		return CURLE_FAILED_INIT;
	if (curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_chunk) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret_answer) != CURLE_OK)
		return CURLE_FAILED_INIT;
	return (int)curl_easy_perform(curl);
}

/* `body` NULL: GET. Takes the headers. */
static int transfer(const struct options *options, const char *path,
		    struct curl_slist *take_headers, const char *body, size_t length,
		    struct buf *ret_answer, long *ret_status, struct err *err)
{
	char error_text[CURL_ERROR_SIZE] = "";
	CURL *curl = curl_easy_init();
	int code = CURLE_FAILED_INIT;

	if (curl != NULL && set_up(curl, options, path, take_headers, error_text) == 0)
		code = perform(curl, body, length, ret_answer);
	if (code == CURLE_OK)
		(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status);
	curl_slist_free_all(take_headers);
	if (curl != NULL)
		curl_easy_cleanup(curl);
	if (code != CURLE_OK)
		return err_set(err, EIO, "%s: %s", options->url,
			       error_text[0] != '\0' ? error_text
						     : curl_easy_strerror((CURLcode)code));
	return 0;
}

int transport_post(const struct options *options, const char *body, size_t length,
		   struct buf *ret_answer, long *ret_status, struct err *err)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");

	buf_init(ret_answer, LIMIT_FRAGMENT_BYTES);
	/* No "100 Continue" round: the service answers early by itself when it refuses. */
	headers = curl_slist_append(headers, "Expect:");
	if (headers == NULL)
		return err_errno(err, ENOMEM, "headers");
	return transfer(options, "/v1/executions", headers, body, length, ret_answer,
			ret_status, err);
}

int transport_get(const struct options *options, const char *path, struct buf *ret_answer,
		  long *ret_status, struct err *err)
{
	buf_init(ret_answer, LIMIT_FILES_READ_BYTES);
	return transfer(options, path, NULL, NULL, 0, ret_answer, ret_status, err);
}
