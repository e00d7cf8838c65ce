#include "server/front/trust.h"

#include "base/clock.h"
#include "server/front/front.h"

/* Judged in one round: a signature takes a tenth of a millisecond, and callers wait meanwhile.
 */
#define JUDGE_BURST 16
#define EXPIRY_US   1000000ull /* how late an end may be noticed; the clock may be set, too */

/* A list in which the judged go to the end: the first one tells whether any is left. */
static struct conn *next_to_judge(const struct front *front)
{
	struct conn *conn = front->conns[CONN_OPEN].first;

	return conn != NULL && conn->tls_generation != front->tls_generation ? conn : NULL;
}

static void judge_fire(struct loop *loop, struct timer *timer)
{
	struct front *front = timer->owner;

	for (int i = 0; i < JUDGE_BURST && next_to_judge(front) != NULL; i++)
		conn_judge(next_to_judge(front));
	if (next_to_judge(front) != NULL)
		loop_timer_start(loop, timer, 0);
	front_check_gate(front);
}

void trust_changed(struct front *front)
{
	front->tls_generation++;
	loop_timer_start(&front->loop, &front->trust.judge, 0);
}

/* Ends those that are over, and finds out when the next one will be. */
static void expire(struct front *front, int64_t now_s)
{
	struct conn *next;

	front->trust.first_end_s = INT64_MAX;
	for (struct conn *conn = front->conns[CONN_OPEN].first; conn != NULL; conn = next) {
		next = conn->next;
		if (conn->is_ending)
			continue;
		if (conn->good_until_s < now_s)
			conn_end(conn, X509_V_ERR_CERT_HAS_EXPIRED);
		else if (conn->good_until_s < front->trust.first_end_s)
			front->trust.first_end_s = conn->good_until_s;
	}
	front_check_gate(front);
}

static void expiry_fire(struct loop *loop, struct timer *timer)
{
	struct front *front = timer->owner;
	int64_t now_s = (int64_t)(clock_wall_ms() / 1000);

	if (now_s > front->trust.first_end_s)
		expire(front, now_s);
	if (front->conns[CONN_OPEN].first != NULL)
		loop_timer_start(loop, timer, EXPIRY_US);
}

void trust_watch(struct front *front, struct conn *conn)
{
	struct trust *trust = &front->trust;

	conn->good_until_s = tls_good_until(conn->ssl);
	if (conn->good_until_s < trust->first_end_s)
		trust->first_end_s = conn->good_until_s;
	if (!trust->expiry.is_armed)
		loop_timer_start(&front->loop, &trust->expiry, EXPIRY_US);
}

void trust_init(struct front *front)
{
	front->trust = (struct trust){
		.judge = {.fire = judge_fire, .owner = front},
		.expiry = {.fire = expiry_fire, .owner = front},
		.first_end_s = INT64_MAX,
	};
}
