# Speed. Included by tests/tests.mk; `make bench` builds, measures, writes build/bench.json.

PYTHON_EMBED_CFLAGS := $(CPPFLAGS_sandbox/runtimes/python)

$(BUILD)/bench/load: tests/bench/load.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< -lssl -lcrypto -lpthread

$(BUILD)/bench/floor: tests/bench/floor.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(PYTHON_EMBED_CFLAGS) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< $(LIBS_casemate-python)

.PHONY: bench
bench: all $(BUILD)/bench/load $(BUILD)/bench/floor
	$(AGAIN) VARIANT=test all
	/usr/bin/python3 tests/bench/bench.py --docs
