/* server/redteam/pause.h - waits between two looks at others; a signal ends it early. */
#ifndef SERVER_REDTEAM_PAUSE_H
#define SERVER_REDTEAM_PAUSE_H

#include <time.h>

static inline void pause_ms(long ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	(void)nanosleep(&time, NULL);
}

#endif
