#include "server/supervisor/listener.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

/* Connections that wait to be accepted while the front restarts. */
#define BACKLOG 1024

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t parse_address(const char *text, uint16_t port, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(port);
		return sizeof(ret->v4);
	}
	if (inet_pton(AF_INET6, text, &ret->v6.sin6_addr) == 1) {
		ret->v6.sin6_family = AF_INET6;
		ret->v6.sin6_port = htons(port);
		return sizeof(ret->v6);
	}
	return 0;
}

static int bind_failed(const char *what, const char *address, uint16_t port, int code,
		       struct err *err)
{
	const char *remedy = "";

	if (code == EADDRINUSE)
		remedy = "; another program listens there: stop it, or choose another port "
			 "(0 lets the kernel pick)";
	else if (code == EACCES)
		remedy = "; ports below 1024 need root or CAP_NET_BIND_SERVICE: choose a "
			 "higher one";
	else if (code == EADDRNOTAVAIL)
		remedy = "; this host has no such address";
	return err_set(err, code, "%s: cannot listen on %s port %u: %s%s", what, address, port,
		       strerror(code), remedy);
}

static int bound_port(int fd, uint16_t *ret, struct err *err)
{
	union address address;
	socklen_t length = sizeof(address);

	if (getsockname(fd, &address.any, &length) != 0)
		return err_errno(err, errno, "getsockname");
	*ret = ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port
						      : address.v6.sin6_port);
	return 0;
}

int listener_open(const char *what, const char *address, uint16_t port, int *ret_fd,
		  uint16_t *ret_port, struct err *err)
{
	const int on = 1;
	union address target;
	socklen_t length = parse_address(address, port, &target);
	own_fd fd = -1;
	int status;

	if (length == 0)
		return err_set(err, EINVAL, "%s.address: '%s' is no IPv4 or IPv6 address", what,
			       address);
	fd = socket(target.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, errno, "%s: socket", what);
	/* A restart must not wait for connections of the last run to leave TIME_WAIT. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return err_errno(err, errno, "%s: SO_REUSEADDR", what);
	if (bind(fd, &target.any, length) != 0 || listen(fd, BACKLOG) != 0)
		return bind_failed(what, address, port, errno, err);
	status = bound_port(fd, ret_port, err);
	if (status == 0)
		*ret_fd = fd_take(&fd);
	return status;
}
