#include "server/redteam/raw.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"

#define REQUEST_BYTES_MAX (4 * 1024 * 1024)
#define ANSWER_BYTES_MAX  (256 * 1024)

/* All requests ask for the connection to be closed, so an answer has an end. One that asks
 * again after this long waits for more, and that is judged by what it has said until then. */
#define ANSWER_MS 5000

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

/* One escape after its backslash; returns how many characters it took. */
static size_t add_escape(const char *at, struct buf *ret)
{
	static const char names[] = "rn0\\t";
	static const char bytes[] = {'\r', '\n', '\0', '\\', '\t'};
	const char *name = *at == '\0' ? NULL : strchr(names, *at);

	if (name != NULL) {
		buf_add_char(ret, bytes[name - names]);
		return 1;
	}
	if (*at == 'x' && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0) {
		buf_add_char(ret, (char)(hex_digit(at[1]) << 4 | hex_digit(at[2])));
		return 3;
	}
	/* A newline that is none. */
	return *at == '\n' ? 1 : 0;
}

/* One character of the file, or one escape; returns how many characters it took. */
static size_t add_one(const char *at, struct buf *ret)
{
	if (*at == '\\')
		return 1 + add_escape(at + 1, ret);
	if (*at == '\n')
		buf_add_str(ret, "\r\n");
	else
		buf_add_char(ret, *at);
	return 1;
}

/* "{repeat N TEXT}" at `at`; returns how many characters it took, 0 when it is none. */
static size_t add_repeat(const char *at, struct buf *ret)
{
	const char *end = strchr(at, '}');
	char *text;
	unsigned long count;

	if (strncmp(at, "{repeat ", 8) != 0 || end == NULL)
		return 0;
	count = strtoul(at + 8, &text, 10);
	for (unsigned long i = 0; i < count && *text == ' '; i++)
		for (const char *one = text + 1; one < end;)
			one += add_one(one, ret);
	return (size_t)(end - at) + 1;
}

static void expand(const char *text, struct buf *ret)
{
	while (*text != '\0') {
		size_t used = add_repeat(text, ret);

		text += used > 0 ? used : add_one(text, ret);
	}
}

int raw_bytes(const char *text, struct buf *ret, struct err *err)
{
	own_buf bytes;
	const char *head, *mark;
	int status;

	buf_init(&bytes, REQUEST_BYTES_MAX);
	buf_init(ret, REQUEST_BYTES_MAX);
	expand(text, &bytes);
	status = buf_check(&bytes, err);
	if (status < 0)
		return status;
	head = memmem(bytes.data, bytes.length, "\r\n\r\n", 4);
	mark = memmem(bytes.data, bytes.length, "{length}", 8);
	if (head == NULL || mark == NULL || mark > head) {
		buf_add(ret, bytes.data, bytes.length);
		return buf_check(ret, err);
	}
	buf_add(ret, bytes.data, (size_t)(mark - bytes.data));
	buf_printf(ret, "%zu", bytes.length - (size_t)(head + 4 - bytes.data));
	mark += 8;
	buf_add(ret, mark, bytes.length - (size_t)(mark - bytes.data));
	return buf_check(ret, err);
}

/* The bytes of `request`, or of `body` in a good request. */
static int make_request(const struct probe *probe, struct buf *ret, struct err *err)
{
	own_buf text = {0};

	if (probe->request != NULL)
		return raw_bytes(probe->request, ret, err);
	buf_init(&text, REQUEST_BYTES_MAX);
	buf_add_str(&text, "POST /v1/executions HTTP/1.1\nHost: localhost\n"
			   "Content-Type: application/json\nContent-Length: {length}\n"
			   "Connection: close\n\n");
	buf_add_str(&text, probe->body);
	/* The newline that ends the file is not a part of the body. */
	if (text.length > 0 && text.data != NULL && text.data[text.length - 1] == '\n')
		text.data[--text.length] = '\0';
	return raw_bytes(text.data, ret, err);
}

static bool wait_for(CURL *curl, short events, uint64_t until)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	uint64_t now = clock_mono_us();
	struct pollfd wait = {.events = events};

	if (now >= until || curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK)
		return false;
	wait.fd = fd;
	return poll(&wait, 1, (int)((until - now) / 1000) + 1) > 0;
}

/* A service that has refused may close before it has read everything: then its answer counts.
 */
static void send_all(CURL *curl, const struct buf *request, uint64_t until)
{
	size_t sent = 0;

	while (sent < request->length) {
		size_t part = 0;
		CURLcode code = curl_easy_send(curl, request->data + sent,
					       request->length - sent, &part);

		sent += part;
		if (code == CURLE_AGAIN ? !wait_for(curl, POLLOUT, until) : code != CURLE_OK)
			return;
	}
}

/* False: it has neither ended the connection nor said any more until then. */
static bool receive_all(CURL *curl, struct buf *answer, uint64_t until)
{
	for (;;) {
		char part[4096];
		size_t length = 0;
		CURLcode code = curl_easy_recv(curl, part, sizeof(part), &length);

		buf_add(answer, part, length);
		if (code == CURLE_AGAIN && !wait_for(curl, POLLIN, until))
			return false;
		if (code != CURLE_AGAIN && (code != CURLE_OK || length == 0))
			return true;
	}
}

static int exchange(struct client *client, const struct buf *request, struct buf *answer,
		    bool *ret_is_closed, struct err *err)
{
	uint64_t until = clock_mono_us() + ANSWER_MS * 1000;
	CURLcode code = CURLE_FAILED_INIT;

	if (curl_easy_setopt(client->curl, CURLOPT_URL, client->place->url) == CURLE_OK &&
	    curl_easy_setopt(client->curl, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK)
		code = curl_easy_perform(client->curl);
	if (code != CURLE_OK)
		return err_set(err, EIO, "%s: %s", client->place->url, client->error_text);
	send_all(client->curl, request, until);
	*ret_is_closed = receive_all(client->curl, answer, until);
	return 0;
}

static unsigned count_answers(const struct buf *answer)
{
	static const char start[] = "HTTP/1.1 ";
	const char *at = answer->data;
	unsigned count = 0;

	/* After a body, which is JSON and ends so; inside of one these are words of ours. */
	while (at != NULL && (at = strstr(at, start)) != NULL) {
		if (at == answer->data || at[-1] == '}' || at[-1] == '\n')
			count++;
		at += sizeof(start) - 1;
	}
	return count;
}

/* One answer, and one of those that are expected. Two to one request would be smuggling. */
static void judge_answer(const struct probe *probe, const struct buf *answer,
			 struct verdict *ret)
{
	unsigned count = count_answers(answer);
	char saw[sizeof(ret->saw)] = "closed";
	char status[16] = "closed";

	if (answer->length > 0) {
		(void)snprintf(saw, sizeof(saw), "%.*s%s", (int)strcspn(answer->data, "\r\n"),
			       answer->data, count > 1 ? ", and another answer" : "");
		(void)snprintf(status, sizeof(status), "%.3s",
			       answer->length > 12 ? answer->data + 9 : "");
	}
	verdict_say(ret,
		    count < 2 && probe_has_word(probe->expects, status) ? END_HELD
									: END_ESCAPED,
		    saw);
}

static int attack_http(struct target *target, const struct probe *probe, struct verdict *ret,
		       struct err *err)
{
	own_client client = {0};
	own_buf request = {0};
	own_buf answer;
	bool is_closed = false;
	int status = make_request(probe, &request, err);

	buf_init(&answer, ANSWER_BYTES_MAX);
	if (status == 0)
		status = client_open(&client, target->place, err);
	if (status == 0)
		status = exchange(&client, &request, &answer, &is_closed, err);
	if (status < 0)
		return status;
	if (answer.length == 0 && !is_closed)
		verdict_say(ret, END_BROKEN, "no answer, and the connection stays open");
	else
		judge_answer(probe, &answer, ret);
	return 0;
}

/* The same place with what the probe changes. False: its certificate is not there. */
static bool change_place(const struct target *target, const char *kind, struct place *place)
{
	const char *slash = strrchr(target->place->certificate, '/');
	int folder = slash == NULL ? 0 : (int)(slash - target->place->certificate) + 1;

	*place = *target->place;
	if (strcmp(kind, "plain") == 0)
		(void)snprintf(place->url, sizeof(place->url), "http%s",
			       target->place->url + strlen("https"));
	if (strcmp(kind, "server") != 0)
		return true;
	(void)snprintf(place->certificate, sizeof(place->certificate), "%.*sserver.crt", folder,
		       target->place->certificate);
	(void)snprintf(place->key, sizeof(place->key), "%.*sserver.key", folder,
		       target->place->certificate);
	return access(place->certificate, R_OK) == 0 && access(place->key, R_OK) == 0;
}

/* Not one of the network, and not that this side could not even ask. */
static bool is_refusal(CURLcode code)
{
	return code == CURLE_SSL_CONNECT_ERROR || code == CURLE_RECV_ERROR ||
	       code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING;
}

static int attack_tls(struct target *target, const struct probe *probe, struct verdict *ret,
		      struct err *err)
{
	own_client client = {0};
	own_buf answer = {0};
	struct place place;
	struct err why = {0};
	char saw[32];
	long http_status = 0;
	int status;

	if (!change_place(target, probe->detail, &place)) {
		verdict_say(ret, END_UNWITNESSED, "the server's certificate is not in --pki");
		return 0;
	}
	status = client_open(&client, &place, err);
	if (status < 0)
		return status;
	if (strcmp(probe->detail, "none") == 0) {
		(void)curl_easy_setopt(client.curl, CURLOPT_SSLCERT, NULL);
		(void)curl_easy_setopt(client.curl, CURLOPT_SSLKEY, NULL);
	}
	/* Debian's own minimum would keep the client from asking. */
	if (strcmp(probe->detail, "old") == 0) {
		(void)curl_easy_setopt(client.curl, CURLOPT_SSLVERSION,
				       CURL_SSLVERSION_TLSv1_0 | CURL_SSLVERSION_MAX_TLSv1_1);
		(void)curl_easy_setopt(client.curl, CURLOPT_SSL_CIPHER_LIST,
				       "DEFAULT:@SECLEVEL=0");
	}
	if (client_get(&client, "/v1/capabilities", &answer, &http_status, &why) < 0) {
		verdict_say(ret, is_refusal(client.code) ? END_HELD : END_BROKEN,
			    client.error_text);
		return 0;
	}
	(void)snprintf(saw, sizeof(saw), "HTTP %ld", http_status);
	/* A front that says by HTTP that it wants TLS, or another certificate, has refused too.
	 */
	verdict_say(ret, http_status >= 400 && http_status < 500 ? END_HELD : END_ESCAPED, saw);
	return 0;
}

int raw_attack(struct target *target, const struct probe *probe, struct verdict *ret,
	       struct err *err)
{
	return probe->judge == JUDGE_TLS ? attack_tls(target, probe, ret, err)
					 : attack_http(target, probe, ret, err);
}
