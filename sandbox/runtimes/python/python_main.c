/*
 * casemate-python - the Python runtime's zygote. Started by the warden inside the runtime's
 * read-only root and the service's user namespace; descriptor 3 is the channel to the warden.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "sandbox/runtimes/python/zygote.h"

#define CHANNEL_FD 3

static void log_loaded(const struct zygote *zygote)
{
	log_event(LOG_INFO, "loaded", LOG_STR("version", zygote->modules.version),
		  LOG_STR("modules", zygote->modules.loaded));
	if (zygote->modules.missing[0] != '\0')
		log_event(LOG_WARN, "not_preloaded",
			  LOG_STR("modules", zygote->modules.missing));
}

int main(int argc, char **argv)
{
	struct zygote zygote = {
		.channel = CHANNEL_FD,
		.state = ZYGOTE_NEW,
		.seccomp_memfd = -1,
	};
	struct err err = {0};

	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		(void)printf("casemate-python " CASEMATE_VERSION "\n");
		return 0;
	}
	log_init("python", LOG_INFO);
	if (zygote_serve(&zygote, log_loaded, &err) < 0) {
		log_event(LOG_ERROR, "stopped", LOG_STR("why", err.text));
		return 1;
	}
	return 0;
}
