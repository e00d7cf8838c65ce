#include "schema/wire/front_gate.h"

static const char *const refusal_names[] = {
	[TLS_REFUSAL_NONE] = "none",
#define X(symbol, name) [TLS_REFUSAL_##symbol] = (name),
	TLS_REFUSAL_LIST(X)
#undef X
};

const char *tls_refusal_name(uint8_t refusal)
{
	return refusal_names[refusal <= TLS_REFUSAL_MAX ? refusal : TLS_REFUSAL_OTHER];
}

WIRE_DEFINE(front_connection, FRONT_CONNECTION_FIELDS)
WIRE_DEFINE(front_refused, FRONT_REFUSED_FIELDS)
WIRE_DEFINE(front_close, FRONT_CLOSE_FIELDS)
