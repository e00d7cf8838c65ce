/*
 * sandbox/warden/proc_text.h - small files of /proc.
 */
#ifndef SANDBOX_WARDEN_PROC_TEXT_H
#define SANDBOX_WARDEN_PROC_TEXT_H

#include <sys/types.h>

/* The file as text, cut at size - 1 bytes and terminated; its length, or -1 with errno and an
 * empty text. */
ssize_t proc_text(const char *path, char *ret, size_t size);

#endif
