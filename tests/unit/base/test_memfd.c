#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memfd.h"

TestSuite(memfd, .timeout = 10);

Test(memfd, what_goes_in_comes_out_and_cannot_change)
{
	own_fd fd = -1;
	own_span span = {0};

	cr_assert(eq(int, memfd_from("t", "hello", 5, &fd, NULL), 0));

	cr_assert(eq(int, memfd_map(fd, 5, &span, NULL), 0));
	cr_assert(eq(sz, span.length, 5));
	cr_assert(eq(int, memcmp(span.data, "hello", 5), 0));
	cr_assert(eq(int, (int)pwrite(fd, "x", 1, 0), -1));
	cr_assert(eq(int, ftruncate(fd, 0), -1));
	cr_assert(ne(int, fcntl(fd, F_GETFD) & FD_CLOEXEC, 0));
}

Test(memfd, an_empty_one_is_a_valid_pointer)
{
	own_fd fd = -1;
	own_span span = {0};

	cr_assert(eq(int, memfd_from("t", NULL, 0, &fd, NULL), 0));

	cr_assert(eq(int, memfd_map(fd, 0, &span, NULL), 0));
	cr_assert(eq(sz, span.length, 0));
	cr_assert(ne(ptr, (void *)(uintptr_t)span.data, NULL));
}

Test(memfd, an_unsealed_one_is_refused)
{
	own_fd fd = -1;
	struct span span = {0};

	cr_assert(eq(int, memfd_new("t", &fd, NULL), 0));
	cr_assert(eq(int, (int)write(fd, "abc", 3), 3));

	cr_assert(lt(int, memfd_map(fd, 100, &span, NULL), 0));
}

Test(memfd, one_that_is_too_large_is_refused)
{
	own_fd fd = -1;
	struct span span = {0};

	cr_assert(eq(int, memfd_from("t", "123456", 6, &fd, NULL), 0));

	cr_assert(lt(int, memfd_map(fd, 5, &span, NULL), 0));
}

Test(memfd, something_else_is_refused)
{
	own_fd fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct span span = {0};

	cr_assert(lt(int, memfd_map(fd, 100, &span, NULL), 0));
	cr_assert(lt(int, memfd_map(-1, 100, &span, NULL), 0));
}
