/*
 * server/gate/media.h - which media types a caller takes and sends (RFC 9110
 * sections 8.3, 12.5).
 */
#ifndef SERVER_GATE_MEDIA_H
#define SERVER_GATE_MEDIA_H

#include "server/gate/text.h"

/* Collected over all Accept lines; zero-initialise. */
struct media_accept {
	bool has_range;	       /* at least one element made sense */
	unsigned json_rank;    /* 0 none, 1 any type, 2 application/<any>, 3 by name */
	bool json_wanted;      /* q above 0 in the most specific element */
	unsigned problem_rank; /* the same for application/problem+json */
	bool problem_wanted;
};

/* Elements that are no media range are passed over: Accept is a wish, not framing. */
void media_accept_add(struct media_accept *accept, struct text value);

/* Without a usable Accept everything goes; else application/json must be wanted, or, where
 * nothing is said about it, application/problem+json. */
bool media_accept_allows_json(const struct media_accept *accept);

/* application/json, with no charset or with utf-8. Other parameters mean nothing here. */
bool media_is_json(struct text content_type);

#endif
