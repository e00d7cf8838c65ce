/*
 * server/supervisor/listener.h - the two TCP sockets of the service. The supervisor binds them,
 * because a low port may need a right that no other process has, and keeps them over restarts
 * of the processes that accept on them.
 */
#ifndef SERVER_SUPERVISOR_LISTENER_H
#define SERVER_SUPERVISOR_LISTENER_H

#include <stdint.h>

#include "base/err.h"

/* Binds and listens, non-blocking. `what` names the listener's member in the configuration.
 * Port 0: the kernel picks; *ret_port is the bound one. */
nodiscard int listener_open(const char *what, const char *address, uint16_t port, int *ret_fd,
			    uint16_t *ret_port, struct err *err);

#endif
