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

static int set_up(CURL *curl, const struct options *options, struct curl_slist *headers,
		  char *error_text)
{
	char url[OPTIONS_URL_MAX + 32];
	int bad = 0;

	(void)snprintf(url, sizeof(url), "%s/v1/executions", options->url);
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
	if (curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length) !=
		    CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_chunk) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret_answer) != CURLE_OK)
		return CURLE_FAILED_INIT;
	return (int)curl_easy_perform(curl);
}

int transport_post(const struct options *options, const char *body, size_t length,
		   struct buf *ret_answer, long *ret_status, struct err *err)
{
	char error_text[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	CURL *curl = curl_easy_init();
	int code = CURLE_FAILED_INIT;

	buf_init(ret_answer, LIMIT_FRAGMENT_BYTES);
	/* No "100 Continue" round: the service answers early by itself when it refuses. */
	headers = curl_slist_append(headers, "Expect:");
	if (curl != NULL && headers != NULL && set_up(curl, options, headers, error_text) == 0)
		code = perform(curl, body, length, ret_answer);
	if (code == CURLE_OK)
		(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status);
	curl_slist_free_all(headers);
	if (curl != NULL)
		curl_easy_cleanup(curl);
	if (code != CURLE_OK)
		return err_set(err, EIO, "%s: %s", options->url,
			       error_text[0] != '\0' ? error_text
						     : curl_easy_strerror((CURLcode)code));
	return 0;
}
