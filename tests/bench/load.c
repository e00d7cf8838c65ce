/*
 * tests/bench/load.c - a lean HTTP client over mTLS for measurements: keep-alive connections,
 * one thread each, one request at a time per connection.
 *
 *   load PKI-DIR PORT CONNECTIONS REQUESTS PAUSE-US BODY-FILE [PATH]
 *
 * A body that is empty is a GET.
 *
 * Prints one JSON object: answers by status, executions per second, and the latency of each
 * request in microseconds as percentiles. A 503 is retried after 5 ms and counted; latency runs
 * from the first try. It shares the machine with the service, so it does as little as possible:
 * the body is built once and the answer is only searched for its status.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/own.h"
#include "tests/bench/sort_us.h"

#define ANSWER_MAX (1 << 20) /* bytes of one answer; the measured jobs print a few */

struct plan {
	SSL_CTX *tls;
	uint16_t port;
	unsigned connections;
	unsigned requests;
	unsigned pause_us;
	char *request;
	bool is_get; /* any 200 will do */
	size_t request_length;
	uint64_t *latency_us;
	atomic_uint next;
	atomic_uint succeeded, failed, busy;
};

static SSL *dial(const struct plan *plan)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(plan->port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;
	SSL *ssl;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		perror("load: connect");
		exit(1);
	}
	ssl = SSL_new(plan->tls);
	(void)SSL_set_tlsext_host_name(ssl, "localhost");
	(void)SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1) {
		ERR_print_errors_fp(stderr);
		exit(1);
	}
	return ssl;
}

/* Reads one whole answer (Content-Length is always there) and returns its HTTP status. */
static int read_answer(SSL *ssl, char *answer)
{
	size_t length = 0;
	size_t wanted = SIZE_MAX;

	while (length < wanted) {
		int got = SSL_read(ssl, answer + length, (int)(ANSWER_MAX - 1 - length));
		const char *end;
		const char *field;

		if (got <= 0) {
			fprintf(stderr, "load: connection closed\n");
			exit(1);
		}
		length += (size_t)got;
		answer[length] = '\0';
		end = wanted == SIZE_MAX ? strstr(answer, "\r\n\r\n") : NULL;
		if (end == NULL)
			continue;
		field = strcasestr(answer, "\r\ncontent-length:");
		wanted = (size_t)(end + 4 - answer) +
			 (field != NULL ? strtoul(field + 17, NULL, 10) : 0);
	}
	return (int)strtol(answer + 9, NULL, 10);
}

static void one_request(struct plan *plan, SSL *ssl, char *answer, unsigned number)
{
	uint64_t start = clock_mono_us();
	int status;

	for (;;) {
		if (SSL_write(ssl, plan->request, (int)plan->request_length) <= 0) {
			fprintf(stderr, "load: write failed\n");
			exit(1);
		}
		status = read_answer(ssl, answer);
		if (status != 503)
			break;
		atomic_fetch_add(&plan->busy, 1);
		(void)usleep(5000);
	}
	plan->latency_us[number] = clock_mono_us() - start;
	if (status == 200 &&
	    (plan->is_get || strstr(answer, "\"status\":\"succeeded\"") != NULL ||
	     strstr(answer, "\"verdict\":\"accepted\"") != NULL))
		atomic_fetch_add(&plan->succeeded, 1);
	else
		atomic_fetch_add(&plan->failed, 1);
}

static void *connection_main(void *argument)
{
	struct plan *plan = argument;
	char *answer = malloc(ANSWER_MAX);
	SSL *ssl = dial(plan);

	for (;;) {
		unsigned number = atomic_fetch_add(&plan->next, 1);

		if (number >= plan->requests)
			break;
		one_request(plan, ssl, answer, number);
		if (plan->pause_us > 0)
			(void)usleep(plan->pause_us);
	}
	SSL_free(ssl);
	free(answer);
	return NULL;
}

static SSL_CTX *tls_new(const char *pki)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/ca.crt", pki);
	if (SSL_CTX_load_verify_locations(tls, path, NULL) != 1)
		goto failed;
	(void)snprintf(path, sizeof(path), "%s/client.crt", pki);
	if (SSL_CTX_use_certificate_chain_file(tls, path) != 1)
		goto failed;
	(void)snprintf(path, sizeof(path), "%s/client.key", pki);
	if (SSL_CTX_use_PrivateKey_file(tls, path, SSL_FILETYPE_PEM) != 1)
		goto failed;
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
	return tls;
failed:
	ERR_print_errors_fp(stderr);
	exit(1);
}

static void request_build(struct plan *plan, const char *target, const char *path)
{
	FILE *file = fopen(path, "rb");
	static char body[1 << 16];
	size_t length;
	int wrote;

	if (file == NULL) {
		perror(path);
		exit(1);
	}
	length = fread(body, 1, sizeof(body), file);
	(void)fclose(file);
	plan->is_get = length == 0;
	plan->request = malloc(length + 256);
	wrote = snprintf(plan->request, length + 256,
			 "%s %s HTTP/1.1\r\nHost: localhost\r\n"
			 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
			 plan->is_get ? "GET" : "POST", target, length);
	memcpy(plan->request + wrote, body, length);
	plan->request_length = (size_t)wrote + length;
}

static void report(const struct plan *plan, uint64_t took_us)
{
	const uint64_t *us = plan->latency_us;
	unsigned n = plan->requests;

	sort_us(plan->latency_us, n);
	printf("{\"connections\":%u,\"requests\":%u,\"succeeded\":%u,\"failed\":%u,"
	       "\"busy\":%u,\"per_second\":%.1f,\"p50_us\":%lu,\"p90_us\":%lu,\"p99_us\":%lu,"
	       "\"max_us\":%lu}\n",
	       plan->connections, n, atomic_load(&plan->succeeded), atomic_load(&plan->failed),
	       atomic_load(&plan->busy), n * 1e6 / (double)took_us, us[n / 2], us[n * 9ul / 10],
	       us[n * 99ul / 100], us[n - 1]);
}

int main(int argc, char **argv)
{
	struct plan plan = {0};
	pthread_t *threads;
	uint64_t start;

	if (argc != 7 && argc != 8) {
		fprintf(stderr, "usage: load PKI-DIR PORT CONNECTIONS REQUESTS PAUSE-US "
				"BODY-FILE [PATH]\n");
		return 100;
	}
	plan.tls = tls_new(argv[1]);
	plan.port = (uint16_t)strtoul(argv[2], NULL, 10);
	plan.connections = (unsigned)strtoul(argv[3], NULL, 10);
	plan.requests = (unsigned)strtoul(argv[4], NULL, 10);
	plan.pause_us = (unsigned)strtoul(argv[5], NULL, 10);
	request_build(&plan, argc == 8 ? argv[7] : "/v1/executions", argv[6]);
	plan.latency_us = calloc(plan.requests, sizeof(*plan.latency_us));
	threads = calloc(plan.connections, sizeof(*threads));
	start = clock_mono_us();
	for (unsigned i = 0; i < plan.connections; i++)
		if (pthread_create(&threads[i], NULL, connection_main, &plan) != 0)
			return 111;
	for (unsigned i = 0; i < plan.connections; i++)
		(void)pthread_join(threads[i], NULL);
	report(&plan, clock_mono_us() - start);
	return atomic_load(&plan.failed) == 0 ? 0 : 1;
}
