/*
 * casemate-python - the Python runtime's zygote: an embedded interpreter that has imported what
 * the operator lists, and forks workers of itself (sandbox/zygote/zygote.h).
 */
#include "sandbox/runtimes/python/interp.h"
#include "sandbox/runtimes/python/second_lock.h"
#include "sandbox/zygote/zygote.h"

static int load(const struct zygote_setup *setup, struct zygote_modules *ret, struct err *err)
{
	int status = interp_start(err);

	if (status == 0)
		status = interp_preload(setup->preload, ret, err);
	return status < 0 ? status : interp_settle(err);
}

static void run(const char *code, size_t length, struct span *payload, struct job_end *ret)
{
	interp_run(code, length, ret);
	span_done(payload);
	ret->status = interp_stop(ret->status);
	second_lock_report(ret);
}

static const struct zygote_ops ops = {
	.load = load,
	.fork_before = interp_fork_before,
	.fork_parent = interp_fork_parent,
	.fork_child = interp_fork_child,
	.enter = interp_enter,
	.rehearse = interp_rehearse,
	.add_argument = interp_add_argument,
	.add_variable = interp_add_variable,
	.take_guard = second_lock_take,
	.run = run,
};

int main(int argc, char **argv)
{
	return zygote_main(argc, argv, "python", &ops);
}
