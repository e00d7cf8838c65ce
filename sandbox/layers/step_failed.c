#include "sandbox/layers/step_failed.h"

#include <stdio.h>

#include "base/chan.h"
#include "schema/wire/warden_worker.h"

int step_failed_send(int channel, uint16_t type, uint64_t id, const struct err *why,
		     struct err *err)
{
	struct step_failed failed = {.error = (uint32_t)why->code};
	uint8_t body[LIMIT_DETAIL_BYTES + 16];
	struct wr wr;

	(void)snprintf(failed.step, sizeof(failed.step), "%s", why->text);
	wr_init(&wr, body, sizeof(body));
	step_failed_encode(&wr, &failed);
	return chan_send_blocking(channel, type, id, body, wr.length, NULL, 0, err);
}
