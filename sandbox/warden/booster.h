/*
 * sandbox/warden/booster.h - the process behind boost.h: reads orders, and changes how
 * processes of the sandbox are scheduled.
 *
 * It believes the warden nothing but the number of a process: whose that is it asks the kernel,
 * it raises only who is scheduled as usual, and puts back only whom it raised. So a taken
 * warden can put the sandbox's own processes first with it, and nothing else.
 */
#ifndef SANDBOX_WARDEN_BOOSTER_H
#define SANDBOX_WARDEN_BOOSTER_H

#include <stdint.h>
#include <sys/types.h>

/* Processor time at the front of everybody, and how long a job may take for it by the clock.
 * print(1) needs less than 2 ms. With more, two fresh busy loops hold both processors of a
 * small machine from who answers callers: p99 beside nine hostile jobs was 5.7 to 6.5 ms with 2
 * ms, 6.5 to 9.9 with 3, 6.7 to 8.1 with 4, 7.0 to 10.2 with 6, 9.4 to 12.2 with 10. */
#define BOOST_US 2000

/* For that much of the processors each idle worker counts in the kernel's admission: 200 to 1,
 * so 190 workers have room on one (kernel.sched_rt_runtime_us). Who finds none is not raised.
 */
#define BOOST_PERIOD_US (200 * BOOST_US)

struct boost_order {
	pid_t pid; /* in the pid namespace of warden and booster */
	uint32_t is_raised;
};

/* Gives up what it does not need, tells `fd` by one int whether it may boost (0 or an errno),
 * and serves orders from it until its other end is closed. */
_Noreturn void booster_run(int fd, uint32_t uid_first, uint32_t uid_count);

#endif
