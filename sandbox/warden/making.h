/*
 * sandbox/warden/making.h - a slot from EMPTY to READY: cell, worker, proof.
 */
#ifndef SANDBOX_WARDEN_MAKING_H
#define SANDBOX_WARDEN_MAKING_H

#include "sandbox/warden/runtime.h"

/* Begins a worker in an EMPTY slot; what goes wrong is counted and retried by the pool. */
void making_begin(struct slot *slot, struct runtime *runtime);

/* The worker failed before it was ready: counts, logs, backs off, ends the slot. */
void making_failed(struct slot *slot, const struct err *why);

/* The worker ended before it was ready: true when its channel still held why, which has then
 * been dealt with. */
bool making_hear_last(struct slot *slot);

/* -ENOTSUP with the names of the layers that are required and do not hold. */
nodiscard int making_check_layers(uint32_t required, uint32_t layers, struct err *err);

/* The first call that the worker's filter told of has been refused; `is_right`: it was the one
 * that a worker makes to prove that the filter holds. */
void making_proved(struct slot *slot, bool is_right);

/* What the cell maker and the zygote say. */
void making_serve_maker(struct chan *chan, struct msg *msg);
void making_serve_zygote(struct chan *chan, struct msg *msg);

#endif
