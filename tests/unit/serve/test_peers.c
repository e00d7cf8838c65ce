#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/supervisor/peers.h"
#include "server/supervisor/supervisor.h"

TestSuite(peers, .timeout = 10);

static struct supervisor supervisor;
static struct child children[5];
static int others[5]; /* the processes' ends */

static void up(int index)
{
	int fds[2];

	cr_assert(eq(int, chan_pair(fds, NULL), 0));
	others[index] = fds[1];
	cr_assert(eq(int, chan_open(&children[index].chan, &supervisor.loop, fds[0], NULL), 0));
}

static void down(int index)
{
	chan_close(&children[index].chan);
	fd_drop(&others[index]);
	peers_forget(&supervisor.peers, &children[index]);
}

static void build(void)
{
	static const enum setup_role roles[] = {SETUP_ROLE_WARDEN, SETUP_ROLE_VALIDATOR,
						SETUP_ROLE_LEDGER, SETUP_ROLE_GATE,
						SETUP_ROLE_FRONT};

	supervisor_init(&supervisor, "x");
	cr_assert(eq(int, loop_init(&supervisor.loop, NULL), 0));
	for (size_t i = 0; i < 5; i++) {
		child_init(&children[i], &supervisor, roles[i]);
		others[i] = -1;
	}
	peers_init(&supervisor.peers, children, 5);
}

/* The channel to `role` that a process was given; others before it are dropped. */
static int peer_of(int index, enum setup_role role)
{
	static struct msg msg;
	struct setup_peer peer = {0};
	int fd = -1;

	while (peer.role != role) {
		fd_drop(&fd);
		cr_assert(eq(int, chan_receive_blocking(others[index], &msg, NULL), 0));
		cr_assert(eq(int, msg.type, SETUP_PEER));
		cr_assert(eq(int, setup_peer_decode(msg.body, msg.length, &peer, NULL), 0));
		fd = msg_take_fd(&msg, 0);
		msg_done(&msg);
	}
	return fd;
}

static void are_connected(int a, int b)
{
	char c = 0;

	cr_assert(eq(int, (int)write(a, "x", 1), 1));
	cr_assert(eq(int, (int)read(b, &c, 1), 1));
	cr_assert(eq(chr, c, 'x'));
}

Test(peers, a_process_that_starts_later_gets_the_end_that_was_kept)
{
	int gate_end, front_end;

	build();
	cr_assert(eq(sz, supervisor.peers.count, 4));
	up(3);
	cr_assert(eq(int, peers_introduce(&supervisor.peers, &children[3], NULL), 0));
	gate_end = peer_of(3, SETUP_ROLE_FRONT);
	up(4);
	cr_assert(eq(int, peers_introduce(&supervisor.peers, &children[4], NULL), 0));
	front_end = peer_of(4, SETUP_ROLE_GATE);

	are_connected(front_end, gate_end);
}

Test(peers, a_neighbour_that_runs_is_told_of_the_new_one)
{
	int gate_end, front_end;

	build();
	up(3);
	up(4);
	cr_assert(eq(int, peers_introduce(&supervisor.peers, &children[4], NULL), 0));
	front_end = peer_of(4, SETUP_ROLE_GATE);
	gate_end = peer_of(3, SETUP_ROLE_FRONT);
	are_connected(front_end, gate_end);
	down(4);
	up(4);
	cr_assert(eq(int, peers_introduce(&supervisor.peers, &children[4], NULL), 0));
	front_end = peer_of(4, SETUP_ROLE_GATE);
	gate_end = peer_of(3, SETUP_ROLE_FRONT);

	are_connected(gate_end, front_end);
}

Test(peers, an_end_kept_for_one_side_dies_with_the_other)
{
	build();
	up(3);
	cr_assert(eq(int, peers_introduce(&supervisor.peers, &children[3], NULL), 0));
	down(3);

	for (size_t i = 0; i < supervisor.peers.count; i++) {
		cr_assert(eq(int, supervisor.peers.links[i].held[0], -1));
		cr_assert(eq(int, supervisor.peers.links[i].held[1], -1));
	}
}

static uint64_t number_of_last_link(int index)
{
	static struct msg msg;
	uint64_t number = 0;
	int status;

	while ((status = chan_receive_blocking(others[index], &msg, NULL)) == 0) {
		number = msg.id;
		msg_done(&msg);
		if (msg.type != SETUP_PEER ||
		    recv(others[index], NULL, 0, MSG_PEEK | MSG_DONTWAIT) < 0)
			break;
	}
	return number;
}

static bool is_suspected(int a, int b)
{
	for (size_t i = 0; i < supervisor.peers.count; i++) {
		const struct link *link = &supervisor.peers.links[i];

		if ((link->ends[0] == &children[a] && link->ends[1] == &children[b]) ||
		    (link->ends[0] == &children[b] && link->ends[1] == &children[a]))
			return link->lost.is_armed;
	}
	cr_fatal("no such link");
}

static void fire_lost(void)
{
	for (size_t i = 0; i < supervisor.peers.count; i++) {
		struct timer *timer = &supervisor.peers.links[i].lost;

		if (!timer->is_armed)
			continue;
		loop_timer_stop(&supervisor.loop, timer);
		timer->fire(&supervisor.loop, timer);
	}
}

/* The processes of ledger and gate, alive as far as the supervisor can see. */
static uint64_t ledger_and_gate(void)
{
	build();
	supervisor.phase = PHASE_SERVING;
	up(2);
	up(3);
	children[2].state = CHILD_READY;
	children[3].state = CHILD_READY;
	cr_assert(eq(int, peers_introduce(&supervisor.peers, &children[3], NULL), 0));
	return number_of_last_link(2);
}

Test(peers, live_neighbours_that_lost_one_another_start_anew_but_for_the_ledger)
{
	uint64_t number = ledger_and_gate();

	cr_assert(ne(u64, number, 0));
	peers_lost(&supervisor.peers, &children[2], number);
	cr_assert(is_suspected(2, 3));
	fire_lost();

	cr_assert(eq(int, children[3].state, CHILD_ENDING));
	cr_assert(eq(int, children[2].state, CHILD_READY));
}

Test(peers, a_lost_neighbour_that_is_dead_is_no_reason)
{
	peers_lost(&supervisor.peers, &children[2], ledger_and_gate());
	down(3);

	cr_assert(not(is_suspected(2, 3)));
}

Test(peers, nobody_ends_others_by_what_it_says)
{
	uint64_t number = ledger_and_gate();

	/* The front's word about a channel of the ledger and the gate; an old number; none. */
	peers_lost(&supervisor.peers, &children[4], number);
	peers_lost(&supervisor.peers, &children[2], number + 1);
	peers_lost(&supervisor.peers, &children[2], 0);

	cr_assert(not(is_suspected(2, 3)));
}
