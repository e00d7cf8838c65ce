/*
 * tests/unit/layers/bpf.h - runs a seccomp program on made-up calls, so that every rule can be
 * tried without making calls that reboot, fork or wait.
 */
#ifndef TESTS_UNIT_LAYERS_BPF_H
#define TESTS_UNIT_LAYERS_BPF_H

#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

/* The program's verdict (SECCOMP_RET_*), or 0xdead0000 | line for an instruction that seccomp
 * programs do not have. `code` and `bytes`: struct sock_filter[]. */
uint32_t bpf_run(const void *code, size_t bytes, const struct seccomp_data *call);

#endif
