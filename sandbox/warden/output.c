#include "sandbox/warden/output.h"

#include "base/clock.h"
#include "base/log.h"
#include "sandbox/warden/run.h"
#include "sandbox/warden/warden.h"

/* print(1) takes 1 ms. What is more than a pipe holds (64 KiB) waits for the first look. */
#define FIRST_LOOK_US  2000
#define SECOND_LOOK_US 10000

/* Half a pipe: who prints it in so short a time will soon fill it again. */
#define MUCH_BYTES 32768

int output_expect_silence(const struct slot *slot, struct err *err)
{
	if (streams_are_silent(&slot->out, &slot->errors))
		return 0;
	return err_set(err, EPIPE, "it printed before it had a job");
}

void output_is_over(struct stream *stream)
{
	struct slot *slot = stream->owner;

	if (slot->job != NULL)
		run_stop(slot, STATUS_OUTPUT_EXCEEDED,
			 stream == &slot->out ? LIMIT_HIT_STDOUT : LIMIT_HIT_STDERR);
}

/* Without its output the job has no outcome. */
static void listen_to(struct slot *slot, struct stream *stream)
{
	struct err err = {0};

	if (stream_listen(stream, &slot->warden->loop, &err) == 0)
		return;
	log_event(LOG_ERROR, "output_not_heard", LOG_INT("slot", slot->index),
		  LOG_STR("execution", slot->job->start.execution_id),
		  LOG_STR("why", err.text));
	run_stop(slot, STATUS_INTERNAL_ERROR, LIMIT_HIT_NONE);
}

static void look(struct loop *loop, struct timer *timer)
{
	struct slot *slot = timer->owner;

	if (slot->job == NULL)
		return;
	stream_drain(&slot->out, loop);
	stream_drain(&slot->errors, loop);
	if (slot->out.bytes.length + slot->errors.bytes.length < MUCH_BYTES &&
	    clock_mono_us() < slot->job->sent_us + SECOND_LOOK_US) {
		loop_timer_start(loop, timer, SECOND_LOOK_US - FIRST_LOOK_US);
		return;
	}
	listen_to(slot, &slot->out);
	listen_to(slot, &slot->errors);
}

void output_begin(struct slot *slot)
{
	slot->output_timer.fire = look;
	loop_timer_start(&slot->warden->loop, &slot->output_timer, FIRST_LOOK_US);
}
