# Speed. Included by tests/tests.mk; `make bench` builds, measures, writes build/bench.json.

PYTHON_EMBED_CFLAGS := $(CPPFLAGS_sandbox/runtimes/python)

$(BUILD)/bench/load: tests/bench/load.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< -lssl -lcrypto -lpthread

$(BUILD)/bench/floor: tests/bench/floor.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(PYTHON_EMBED_CFLAGS) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< $(LIBS_casemate-python)

$(BUILD)/bench/chain: tests/bench/chain.c $(LIB_base)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^

$(BUILD)/bench/schema: tests/bench/schema.c $(BUILD)/libprogram-casemate-validator.a $(LIB_schema) $(LIB_base)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_casemate-validator)

$(BUILD)/bench/code: tests/bench/code.c $(BUILD)/libprogram-casemate-validator.a $(LIB_schema) $(LIB_base)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_casemate-validator)

# The schema engine against ajv alone, in a minute.
.PHONY: bench-schema
bench-schema: $(BUILD)/bench/schema
	/usr/bin/python3 tests/bench/schema.py

# The code engine alone, in seconds.
.PHONY: bench-code
bench-code: all $(BUILD)/bench/code
	/usr/bin/python3 tests/bench/examine.py

# One caller against whole commands, in two minutes.
.PHONY: bench-turns
bench-turns: all $(BUILD)/bench/load
	/usr/bin/python3 tests/bench/turns.py

# A job beside nine hostile ones, in two minutes.
.PHONY: bench-hostile
bench-hostile: all $(BUILD)/bench/load $(BUILD)/bench/chain
	/usr/bin/python3 tests/bench/hostile.py

# What judging code costs, in two minutes.
.PHONY: bench-policy
bench-policy: all $(BUILD)/bench/load $(BUILD)/bench/code
	/usr/bin/python3 tests/bench/policy.py

.PHONY: bench
bench: all $(BUILD)/bench/load $(BUILD)/bench/floor $(BUILD)/bench/chain $(BUILD)/bench/schema $(BUILD)/bench/code
	$(AGAIN) VARIANT=test all
	/usr/bin/python3 tests/bench/bench.py --docs
