/*
 * base/banned.h - functions nobody may call here; force-included before every source file.
 *
 * Each of them either writes without knowing the size of its target, or hides an error. The
 * headers come first because a macro must not meet the function's own declaration.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BANNED(function, instead) function##_is_banned_use_##instead

#undef strcpy
#define strcpy(...) BANNED(strcpy, snprintf_or_memcpy)
#undef strcat
#define strcat(...) BANNED(strcat, buf_add_str)
#undef strncpy
#define strncpy(...) BANNED(strncpy, snprintf_or_memcpy)
#undef strncat
#define strncat(...) BANNED(strncat, buf_add_str)
#undef stpcpy
#define stpcpy(...) BANNED(stpcpy, memcpy)
#undef sprintf
#define sprintf(...) BANNED(sprintf, snprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf, vsnprintf)
#undef gets
#define gets(...) BANNED(gets, getline)
#undef strtok
#define strtok(...) BANNED(strtok, strchr_or_strtok_r)
/* They cannot report that the text is no number, or does not fit. */
#undef atoi
#define atoi(...) BANNED(atoi, strtol)
#undef atol
#define atol(...) BANNED(atol, strtol)
#undef atoll
#define atoll(...) BANNED(atoll, strtoll)
#undef atof
#define atof(...) BANNED(atof, strtod)
/* Static results, shared by the whole process. */
#undef ctime
#define ctime(...) BANNED(ctime, strftime)
#undef asctime
#define asctime(...) BANNED(asctime, strftime)
#undef localtime
#define localtime(...) BANNED(localtime, localtime_r)
#undef gmtime
#define gmtime(...) BANNED(gmtime, gmtime_r)
/* A name that somebody else can take before it is opened. */
#undef mktemp
#define mktemp(...) BANNED(mktemp, mkstemp)
#undef tmpnam
#define tmpnam(...) BANNED(tmpnam, mkstemp)
#undef tempnam
#define tempnam(...) BANNED(tempnam, mkstemp)
/* A shell between us and the program. */
#undef system
#define system(...) BANNED(system, execve)
#undef popen
#define popen(...) BANNED(popen, execve)
/* Size decided by a value, on the stack. */
#undef alloca
#define alloca(...) BANNED(alloca, malloc)

#endif
