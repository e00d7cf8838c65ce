#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <netinet/in.h>
#include <string.h>

#include "server/front/addresses.h"

TestSuite(addresses, .timeout = 10);

static const uint8_t salt[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static struct sockaddr_storage from(const char *text)
{
	struct sockaddr_storage address = {.ss_family = AF_INET};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
		return address;
	address.ss_family = AF_INET6;
	cr_assert(eq(int, inet_pton(AF_INET6, text, &v6->sin6_addr), 1));
	return address;
}

static uint32_t add(struct addresses *addresses, struct address_link *link, const char *text)
{
	struct sockaddr_storage address = from(text);
	uint32_t count = 0;

	link->owner = link;
	cr_assert(eq(int, addresses_add(addresses, link, &address, &count), 0));
	return count;
}

Test(addresses, each_address_is_counted_by_itself)
{
	struct addresses addresses;
	struct address_link links[6] = {0};

	addresses_init(&addresses, salt);

	cr_expect(eq(u32, add(&addresses, &links[0], "192.0.2.1"), 1));
	cr_expect(eq(u32, add(&addresses, &links[1], "192.0.2.1"), 2));
	cr_expect(eq(u32, add(&addresses, &links[2], "192.0.2.2"), 1));
	cr_expect(eq(u32, add(&addresses, &links[3], "::ffff:192.0.2.1"), 3));
	cr_expect(eq(u32, add(&addresses, &links[4], "2001:db8::1"), 1));
	cr_expect(eq(u32, add(&addresses, &links[5], "2001:db8::ffff:1"), 2));
	for (size_t i = 0; i < 6; i++)
		addresses_remove(&addresses, &links[i]);
	for (size_t i = 0; i < ADDRESSES_BUCKETS; i++)
		cr_expect(eq(ptr, addresses.buckets[i], NULL));
}

Test(addresses, the_oldest_is_the_one_that_has_been_there_longest)
{
	struct addresses addresses;
	struct address_link links[3] = {0};

	addresses_init(&addresses, salt);
	for (size_t i = 0; i < 3; i++)
		add(&addresses, &links[i], "192.0.2.1");

	cr_expect(eq(ptr, addresses_oldest(&links[2]), &links[0]));
	addresses_remove(&addresses, &links[0]);
	cr_expect(eq(ptr, addresses_oldest(&links[2]), &links[1]));
	addresses_remove(&addresses, &links[2]);
	cr_expect(eq(ptr, addresses_oldest(&links[1]), &links[1]));
	addresses_remove(&addresses, &links[1]);
	addresses_remove(&addresses, &links[1]);
}

Test(addresses, thousands_of_addresses_are_told_apart)
{
	enum { COUNT = 5000 };
	static struct address_link links[COUNT];
	struct addresses addresses;
	char text[32];

	addresses_init(&addresses, salt);

	for (int i = 0; i < COUNT; i++) {
		(void)snprintf(text, sizeof(text), "10.0.%d.%d", i / 250, i % 250);
		cr_assert(eq(u32, add(&addresses, &links[i], text), 1));
	}
	for (int i = 0; i < COUNT; i++)
		addresses_remove(&addresses, &links[i]);
}
