from enum import Enum, auto


class State(Enum):
    IDLE = auto()
    RUNNING = auto()
    DONE = auto()


TRANSITIONS = {State.IDLE: {"start": State.RUNNING}, State.RUNNING: {"finish": State.DONE, "stop": State.IDLE}}


def advance(state, action):
    try:
        return TRANSITIONS[state][action]
    except KeyError:
        raise ValueError(f"cannot {action} while {state.name.lower()}") from None


state = State.IDLE
for action in ("start", "stop", "start", "finish"):
    state = advance(state, action)
    print(action, "->", state.name)
