/*
 * sandbox/zygote/leave.h - ends a worker at once: no atexit handlers of libraries, no
 * interpreter taking itself apart, which would touch every page shared with the zygote.
 */
#ifndef SANDBOX_ZYGOTE_LEAVE_H
#define SANDBOX_ZYGOTE_LEAVE_H

#include <unistd.h>

/* Exit status of a worker that never became ready, or got no job. */
#define LEAVE_NOT_READY 125

#ifdef CASEMATE_COVERAGE
void __gcov_dump(void);
#endif

_Noreturn static inline void leave(int status)
{
#ifdef CASEMATE_COVERAGE
	__gcov_dump();
#endif
	_exit(status);
}

#endif
