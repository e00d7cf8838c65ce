/* Start of the gate's memory, and what it says about its readiness. */
#include "base/log.h"
#include "schema/status.h"
#include "server/gate/conn.h"
#include "server/gate/engine.h"

static void after_round(struct loop *loop)
{
	struct gate *gate = loop->owner;

	engine_pump(gate);
	conn_bury(gate);
	setup_check_drained(gate);
}

int gate_init(struct gate *gate, struct err *err)
{
	int status = loop_init(&gate->loop, err);

	if (status < 0)
		return status;
	gate->loop.after_round = after_round;
	gate->loop.owner = gate;
	gate->setup.fd = -1;
	gate->front.fd = -1;
	gate->ledger.fd = -1;
	gate->operations_fd = -1;
	gate->operations.fd = -1;
	gate->next_operations_fd = -1;
	gate->next_front_fd = -1;
	gate->next_ledger_fd = -1;
	gate->openapi = (struct span){.data = ""};
	gate->next_openapi = (struct span){.data = ""};
	deadlines_init(&gate->deadlines, &gate->loop);
	gate->deadlines.passed = conn_deadline_passed;
	gate->deadlines.owner = gate;
	gate->conns = calloc(GATE_SLOTS, sizeof(struct conn *));
	gate->scratch = malloc(GATE_SCRATCH_BYTES);
	if (gate->conns == NULL || gate->scratch == NULL)
		return err_set(err, ENOMEM, "no memory for the table of connections");
	return engine_start(gate, err);
}

bool gate_is_ready(const struct gate *gate, uint8_t *ret_problem, const char **ret_reason)
{
	if (gate->is_draining) {
		*ret_problem = PROBLEM_DRAINING;
		*ret_reason = "the service is shutting down";
		return false;
	}
	*ret_problem = PROBLEM_UNAVAILABLE;
	if (gate->ledger.fd < 0) {
		*ret_reason = "the part of the service that keeps the record is restarting";
		return false;
	}
	*ret_reason =
		gate->state.reason[0] != '\0' ? gate->state.reason : "the service is starting";
	return gate->state.is_ready != 0;
}
