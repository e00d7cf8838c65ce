#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "server/supervisor/listener.h"

TestSuite(listener, .timeout = 10);

Test(listener, port_0_is_picked_and_reported)
{
	own_fd fd = -1;
	uint16_t port = 0;

	cr_assert(eq(int, listener_open("listen", "127.0.0.1", 0, &fd, &port, NULL), 0));

	cr_assert(gt(int, port, 0));
	cr_assert(ne(int, fcntl(fd, F_GETFL) & O_NONBLOCK, 0));
	cr_assert(ne(int, fcntl(fd, F_GETFD) & FD_CLOEXEC, 0));
}

Test(listener, a_port_in_use_is_an_error_with_a_remedy)
{
	own_fd first = -1;
	own_fd second = -1;
	uint16_t port = 0;
	struct err err = {0};

	cr_assert(eq(int, listener_open("listen", "127.0.0.1", 0, &first, &port, NULL), 0));
	cr_assert(eq(int, listener_open("listen", "127.0.0.1", port, &second, &port, &err),
		     -EADDRINUSE));

	cr_assert(eq(int, second, -1));
	cr_assert(ne(ptr, strstr(err.text, "choose another port"), NULL));
}

Test(listener, an_address_that_is_none_is_named)
{
	own_fd fd = -1;
	uint16_t port = 0;
	struct err err = {0};

	cr_assert(eq(int, listener_open("operations", "1.2.3", 0, &fd, &port, &err), -EINVAL));

	cr_assert(ne(ptr, strstr(err.text, "operations.address"), NULL));
}
