/*
 * server/redteam/service.h - a service of our own for --mutate: from the binaries beside this
 * one, in a folder of its own, on ports that the kernel picks, with layers switched off.
 */
#ifndef SERVER_REDTEAM_SERVICE_H
#define SERVER_REDTEAM_SERVICE_H

#include <sys/types.h>

#include "server/client/place.h"

struct service {
	char folder[64];
	pid_t pid;
	struct place place;
};

/* A folder with certificates. */
nodiscard int service_open(struct service *service, struct err *err);

/* Starts it without the layers named (NULL ends them) and waits until it is ready. */
nodiscard int service_start(struct service *service, const char *const layers_off[],
			    struct err *err);
void service_stop(struct service *service);

/* Stops it and removes the folder. */
void service_close(struct service *service);

#endif
