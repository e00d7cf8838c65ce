#include "server/ledger/ulid.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"

/* Without I, L, O and U, which people misread. */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#define TIME_CHARS 10

void ulid_encode(uint64_t time_ms, const uint8_t random[10], char ret[LIMIT_ID_CHARS + 1])
{
	uint64_t bits = 0;
	unsigned kept = 0;
	unsigned at = 0;

	for (int shift = 5 * (TIME_CHARS - 1); shift >= 0; shift -= 5)
		ret[at++] = alphabet[(time_ms & 0xFFFFFFFFFFFFu) >> shift & 31];
	for (unsigned i = 0; i < 10; i++) {
		bits = bits << 8 | random[i];
		for (kept += 8; kept >= 5; kept -= 5)
			ret[at++] = alphabet[bits >> (kept - 5) & 31];
	}
	ret[at] = '\0';
}

void ulid_new(uint64_t time_ms, char ret[LIMIT_ID_CHARS + 1])
{
	uint8_t random[10];

	/* Ten bytes never come short once the kernel's pool is up, and a process that serves
	 * without randomness would hand out names that can be guessed. */
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		abort();
	ulid_encode(time_ms, random, ret);
}

bool ulid_is_valid(const char *text)
{
	/* 48 bits in 50: the first character carries only three of them. */
	return strlen(text) == LIMIT_ID_CHARS && strspn(text, alphabet) == LIMIT_ID_CHARS &&
	       text[0] <= '7';
}
