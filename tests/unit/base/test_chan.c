#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/chan.h"

TestSuite(chan, .timeout = 20);

/* Messages are 60 KiB: not on the stack of a test. */
static struct msg msg;

struct peer {
	struct loop loop;
	struct chan chan;
	int other; /* the test's end */
	int served;
	int lost;
	size_t last_length;
};

static void serve(struct chan *chan, struct msg *message)
{
	struct peer *peer = chan->owner;

	peer->served++;
	peer->last_length = message->length;
	if (message->type == 99)
		loop_stop(&peer->loop);
}

static void lost(struct chan *chan, const struct err *why)
{
	struct peer *peer = chan->owner;

	(void)why;
	peer->lost++;
	loop_stop(&peer->loop);
}

static void peer_open(struct peer *peer)
{
	int fds[2];

	*peer = (struct peer){.other = -1};
	cr_assert(eq(int, loop_init(&peer->loop, NULL), 0));
	cr_assert(eq(int, chan_pair(fds, NULL), 0));
	peer->other = fds[1];
	peer->chan.serve = serve;
	peer->chan.lost = lost;
	peer->chan.owner = peer;
	cr_assert(eq(int, chan_open(&peer->chan, &peer->loop, fds[0], NULL), 0));
}

static void peer_done(struct peer *peer)
{
	chan_close(&peer->chan);
	loop_done(&peer->loop);
	fd_drop(&peer->other);
}

static int open_count(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

Test(chan, a_message_arrives_whole_with_its_descriptor)
{
	int fds[2];
	own_fd null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	own_fd taken = -1;

	cr_assert(eq(int, chan_pair(fds, NULL), 0));
	cr_assert(eq(int, chan_send_blocking(fds[0], 7, 42, "body", 4, &null, 1, NULL), 0));
	cr_assert(eq(int, chan_receive_blocking(fds[1], &msg, NULL), 0));

	cr_assert(eq(int, msg.type, 7));
	cr_assert(eq(u64, msg.id, 42));
	cr_assert(eq(sz, msg.length, 4));
	cr_assert(eq(int, memcmp(msg.body, "body", 4), 0));
	taken = msg_take_fd(&msg, 0);
	cr_assert(ge(int, taken, 0));
	cr_assert(ne(int, fcntl(taken, F_GETFD) & FD_CLOEXEC, 0));
	cr_assert(eq(int, msg_take_fd(&msg, 0), -1));
	cr_assert(eq(int, msg_take_fd(&msg, 1), -1));
	msg_done(&msg);
	close(fds[0]);
	close(fds[1]);
}

Test(chan, descriptors_nobody_took_are_closed)
{
	struct peer peer;
	own_fd null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const int two[] = {null, null};

	peer_open(&peer);
	int before = open_count();
	cr_assert(eq(int, chan_send_blocking(peer.other, 99, 0, NULL, 0, two, 2, NULL), 0));
	cr_assert(eq(int, loop_run(&peer.loop, NULL), 0));

	cr_assert(eq(int, open_count(), before));
	cr_assert(eq(int, peer.served, 1));
	peer_done(&peer);
}

Test(chan, a_message_cut_off_or_with_a_wrong_length_loses_the_peer)
{
	/* type 1, no descriptors, length 5, id 0, and only two bytes of body */
	static const char bad[] = "\x01\0\0\0\x05\0\0\0\0\0\0\0\0\0\0\0ab";

	for (size_t length = 1; length < sizeof(bad); length++) {
		struct peer peer;

		peer_open(&peer);
		cr_assert(eq(int, (int)send(peer.other, bad, length, 0), (int)length));
		cr_assert(eq(int, loop_run(&peer.loop, NULL), 0));
		cr_assert(eq(int, peer.lost, 1));
		cr_assert(eq(int, peer.served, 0));
		cr_assert(eq(int, peer.chan.fd, -1));
		peer_done(&peer);
	}
}

Test(chan, a_header_that_lies_about_descriptors_loses_the_peer)
{
	static const char bad[] = "\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0\0";
	struct peer peer;

	peer_open(&peer);
	cr_assert(eq(int, (int)send(peer.other, bad, 16, 0), 16));
	cr_assert(eq(int, loop_run(&peer.loop, NULL), 0));

	cr_assert(eq(int, peer.lost, 1));
	peer_done(&peer);
}

Test(chan, a_closed_peer_is_noticed)
{
	struct peer peer;

	peer_open(&peer);
	fd_drop(&peer.other);
	cr_assert(eq(int, loop_run(&peer.loop, NULL), 0));

	cr_assert(eq(int, peer.lost, 1));
	peer_done(&peer);
}

Test(chan, what_does_not_fit_is_queued_and_arrives_in_order)
{
	struct peer peer;
	uint8_t body[1000] = {0};

	peer_open(&peer);
	for (uint64_t i = 0; i < 2000; i++)
		cr_assert(eq(int,
			     chan_send(&peer.chan, 5, i, body, sizeof(body), NULL, 0, NULL),
			     0));
	cr_assert(gt(sz, peer.chan.queued_bytes, 0));
	for (uint64_t i = 0; i < 2000; i++) {
		/* Every receive makes room; one round of the loop fills it again. */
		cr_assert(eq(int, chan_receive_blocking(peer.other, &msg, NULL), 0));
		cr_assert(eq(u64, msg.id, i));
		if (peer.chan.first != NULL)
			peer.chan.watch.ready(&peer.loop, &peer.chan.watch, 4 /* EPOLLOUT */);
	}

	cr_assert(eq(sz, peer.chan.queued_bytes, 0));
	peer_done(&peer);
}

Test(chan, a_peer_that_stops_reading_is_given_up)
{
	struct peer peer;
	static uint8_t body[CHAN_BODY_MAX];
	int status = 0;

	peer_open(&peer);
	for (int i = 0; i < 1000 && status == 0; i++)
		status = chan_send(&peer.chan, 5, 0, body, sizeof(body), NULL, 0, NULL);

	cr_assert(eq(int, status, -ENOBUFS));
	cr_assert(eq(int, peer.chan.fd, -1));
	peer_done(&peer);
}

Test(chan, too_large_is_refused_before_it_is_sent)
{
	int fds[2];

	cr_assert(eq(int, chan_pair(fds, NULL), 0));

	cr_assert(eq(int,
		     chan_send_blocking(fds[0], 1, 0, &msg, CHAN_BODY_MAX + 1, NULL, 0, NULL),
		     -EMSGSIZE));
	close(fds[0]);
	close(fds[1]);
}

static int serve_it(void *owner, struct msg *message, struct err *err)
{
	(void)message;
	(void)err;
	(*(int *)owner)++;
	return 0;
}

Test(chan, the_table_decides_who_is_served)
{
	static const struct route routes[] = {{10, 2, 1, 2, serve_it}};
	int served = 0;

	msg.type = 10;
	msg.fd_count = 1;
	cr_assert(eq(int, route_dispatch(routes, 1, 2, &served, &msg, NULL), 0));
	cr_assert(eq(int, route_dispatch(routes, 1, 1, &served, &msg, NULL), -EPROTO));
	msg.fd_count = 0;
	cr_assert(eq(int, route_dispatch(routes, 1, 2, &served, &msg, NULL), -EPROTO));
	msg.fd_count = 3;
	cr_assert(eq(int, route_dispatch(routes, 1, 2, &served, &msg, NULL), -EPROTO));
	msg.type = 11;
	msg.fd_count = 1;
	cr_assert(eq(int, route_dispatch(routes, 1, 2, &served, &msg, NULL), -EPROTO));

	cr_assert(eq(int, served, 1));
	msg.fd_count = 0;
}

/* An empty packet looks like the end of the channel, and can carry descriptors all the same. */
Test(chan, descriptors_of_an_empty_message_do_not_leak)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct msghdr message = {.msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);
	int before, after, null, fds[2];

	cr_assert(eq(int, chan_pair(fds, NULL), 0));
	null = open("/dev/null", O_RDONLY);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &null, sizeof(int));
	before = dup(null);
	close(before);
	cr_assert(eq(int, (int)sendmsg(fds[0], &message, 0), 0));

	cr_assert(eq(int, chan_receive_blocking(fds[1], &msg, NULL), -ECONNRESET));
	after = dup(null);
	cr_assert(eq(int, after, before));
	close(after);
	close(null);
	close(fds[0]);
	close(fds[1]);
}
