# Everything below tests/: unit tests in Criterion, whole-service tests in pytest, fuzz targets,
# benchmarks. Included by the Makefile.

# --- unit tests: tests/unit/<folder>/test_<file>.c, one binary a folder -------------------
# <folder> is base, schema, layers, zygote, or a program's short name (gate, ledger, ...).

UNIT_FOLDERS := $(notdir $(wildcard tests/unit/*))
unit_program = casemate-$(1)
# The objects a folder's tests link with: the program's own without main, then the shared ones.
unit_archive = $(if $(DIR_$(call unit_program,$(1))),$(BUILD)/libprogram-$(call unit_program,$(1)).a)

define unit
$(BUILD)/tests/unit-$(1): $(call objects,$(wildcard tests/unit/$(1)/*.c)) \
		$(call unit_archive,$(1)) $(if $(filter $(CLIENTS),$(DIR_$(call unit_program,$(1)))),$(LIB_client)) \
		$(LIB_zygote) $(LIB_layers) $(LIB_schema) $(LIB_base) \
		$(filter %.a,$(LIBS_$(call unit_program,$(1))))
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ $$(LIBS_$(call unit_program,$(1))) -lcriterion -lseccomp
endef
$(foreach folder,$(UNIT_FOLDERS),$(eval $(call unit,$(folder))))
# Criterion's assertions put comparison results into bit fields.
$(BUILD)/obj/tests/unit/%.o: CFLAGS_ALL += -Wno-conversion
# They start the real cell maker.
$(BUILD)/tests/unit-layers: | $(OUT_casemate-cell)
UNIT_BINARIES := $(foreach folder,$(UNIT_FOLDERS),$(BUILD)/tests/unit-$(folder))

# Preloaded by process tests: see tests/support/faults.c. Plain in every variant, because it is
# there before a sanitizer's runtime is.
FAULTS := $(BUILD)/tests/faults.so
$(FAULTS): tests/support/faults.c
	@mkdir -p $(@D)
	$(call QUIET,CC,$<)$(CC) -std=gnu17 -D_GNU_SOURCE $(WARN) -O1 -fPIC -shared -o $@ $< -ldl

.PHONY: unit unit-binaries
unit-binaries: $(UNIT_BINARIES) $(FAULTS)
unit: unit-binaries
	@tests/support/suite.sh $(BUILD) $(UNIT_BINARIES)

# --- everything ----------------------------------------------------------------------------

JOBS ?= $(shell nproc)
AGAIN = +@$(MAKE) --no-print-directory -j$(JOBS)
# Which pytest folders `make test` runs; `make test TESTS=tests/api/test_tls.py` runs one file.
TESTS ?= $(wildcard tests/process tests/api tests/redteam tests/docker)

# The test variant is for the probes that must escape when a layer is switched off.
.PHONY: test
test:
	@tests/support/deps.sh test $(if $(filter tests/docker%,$(TESTS)),docker)
	$(AGAIN) all unit-binaries
	$(AGAIN) VARIANT=test all
	@VARIANT=$(VARIANT) tests/support/suite.sh $(BUILD) $(UNIT_BINARIES) -- $(TESTS)

# Which probes notice which layer: the table in docs/REDTEAM.md.
.PHONY: redteam-matrix
redteam-matrix:
	$(AGAIN) VARIANT=test all
	@tests/redteam/matrix.sh build/test

# --- sanitizers ------------------------------------------------------------------------------
# Unit tests with every sanitizer, and the tests of single processes with fake peers. Exact seccomp
# lists are tested in plain builds only: a sanitizer's runtime makes calls of its own.

# Not the faults in a worker's set-up: the programs below the warden are those of release here too.
SANITIZED_TESTS ?= $(wildcard tests/process) --ignore=tests/process/warden/test_faults.py
# Programs that a thread-sanitized warden starts end before their first line, so it is left out,
# although it has threads: what they share with its loop is one piece of work at a time, handed over
# by an eventfd (sandbox/warden/aside.h).
THREAD_TESTS ?= $(addprefix tests/process/,front gate ledger validator)

.PHONY: asan ubsan tsan sanitized
asan ubsan tsan:
	@tests/support/deps.sh test check
	$(AGAIN) all
	$(AGAIN) VARIANT=test all
	$(AGAIN) VARIANT=$@ sanitized

# Criterion passes its tests a piece of memory at an address that ThreadSanitizer keeps for itself,
# so no unit test starts under it; the real processes do.
SANITIZED_UNITS = $(if $(filter tsan,$(VARIANT)),,$(UNIT_BINARIES))

# A program that the sanitizer must not let pass; its folder ends in the variant's name, because
# the suite looks at that.
CANARY = $(if $(wildcard tests/canary/$(VARIANT).c),$(BUILD)/canary/$(VARIANT)/unit-canary)
$(BUILD)/obj/tests/canary/%.o: CFLAGS_ALL += -Wno-conversion
$(BUILD)/canary/$(VARIANT)/unit-canary: $(BUILD)/obj/tests/canary/$(VARIANT).o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $< -lcriterion

.PHONY: canary
canary: $(CANARY)
	@if [ -n '$(CANARY)' ] && tests/support/suite.sh $(BUILD)/canary/$(VARIANT) $(CANARY) \
		>/dev/null 2>&1; then \
		echo 'canary: $(VARIANT) lets a mistake on purpose pass' >&2; exit 1; fi

sanitized: canary all $(FAULTS) $(if $(filter tsan,$(VARIANT)),,unit-binaries)
	@VARIANT=$(VARIANT) tests/support/suite.sh $(BUILD) $(SANITIZED_UNITS) \
		-- $(if $(filter tsan,$(VARIANT)),$(THREAD_TESTS),$(SANITIZED_TESTS))

# --- fuzzing: tests/fuzz/fuzz_<what>.c, libFuzzer with address and undefined sanitizers ---------

FUZZ_SECONDS ?= 20
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_LIBS := $(foreach program,casemate-validator casemate-gate casemate-front casemate-launch, \
	$(BUILD)/libprogram-$(program).a) $(LIB_schema) $(LIB_base) $(GRAMMARS)

$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(FUZZ_LIBS)
	@mkdir -p $(@D)
	$(call QUIET,LD,$@)$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ \
		$(LIBS_casemate-validator) $(LIBS_casemate-gate) $(LIBS_casemate-front)

.PHONY: fuzz-smoke fuzz-run
fuzz-smoke:
	@tests/support/deps.sh check
	$(AGAIN) VARIANT=fuzz fuzz-run

# Ten minutes each of the targets of the code policy (docs/EVALUATION.md): FUZZ_LONG_SECONDS.
FUZZ_LONG_SECONDS ?= 600
FUZZ_LONG_TARGETS ?= fuzz_code_needs fuzz_code_rules fuzz_code_source fuzz_guard fuzz_policy fuzz_sanitise
.PHONY: fuzz-long
fuzz-long:
	@tests/support/deps.sh check
	$(AGAIN) VARIANT=fuzz FUZZ_SECONDS=$(FUZZ_LONG_SECONDS) FUZZ_TARGETS="$(FUZZ_LONG_TARGETS)" fuzz-run

# The corpus and every past crash are replayed first, then new inputs for a while.
fuzz-run: $(addprefix $(BUILD)/fuzz/,$(FUZZ_TARGETS))
	@for target in $(FUZZ_TARGETS); do \
		corpus=$(BUILD)/fuzz/corpus-$$target; mkdir -p $$corpus; \
		seeds=; for seed in tests/fuzz/corpus/$$target tests/fuzz/regression/$$target; do \
			[ ! -d $$seed ] || seeds="$$seeds $$seed"; done; \
		echo "== $$target"; \
		$(BUILD)/fuzz/$$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
			-print_final_stats=0 -verbosity=0 -artifact_prefix=$(BUILD)/fuzz/ \
			$$corpus $$seeds || exit 1; \
	done

# --- coverage of the unit tests (a confined process cannot write its counters) ------------------

.PHONY: coverage coverage-run
coverage:
	@tests/support/deps.sh test check
	$(AGAIN) VARIANT=coverage coverage-run

coverage-run: unit-binaries
	@find $(BUILD) -name '*.gcda' -delete
	@tests/support/suite.sh $(BUILD) $(UNIT_BINARIES)
	@mkdir -p build/coverage-report
	@gcovr --root . --exclude tests/ --branches --print-summary --html-details \
		build/coverage-report/index.html $(BUILD)
	@echo "build/coverage-report/index.html"

# --- lint ----------------------------------------------------------------------------------------

# Tables that are clearer by hand than by clang-format.
FORMATTED = $(filter-out schema/wire/% schema/limits.h schema/status.h schema/events.h base/wire_gen.h,$(shell git ls-files '*.c' '*.h'))
TIDIED = $(filter-out tests/%,$(filter %.c,$(FORMATTED)))
# Quoted once more than for the compiler, because a shell of its own runs it.
tidy_flags = $(filter-out -DCASEMATE_VERSION%,$(CPPFLAGS_ALL)) \
	-DCASEMATE_VERSION=\"$(VERSION)\" $(CPPFLAGS_sandbox/runtimes/python) -std=gnu17
linked_row = "$(OUT_$(1)):$(LIBS_$(1))"

.PHONY: check check-format check-shell check-shape check-linked check-tidy check-clang check-pages
check:
	@tests/support/deps.sh check
	$(AGAIN) check-format check-shell check-shape check-linked check-tidy check-clang check-pages
	@echo 'check: good'

# Other versions format otherwise and warn of other things, so the judge is Debian 12's.
pinned = if ! command -v $(1) >/dev/null && ! grep -qx 'VERSION_ID="12"' /etc/os-release; \
	then echo 'check: no $(1) in this release; Debian 12 checks this'; exit 0; fi

check-format:
	@$(call pinned,clang-format-14); clang-format-14 --dry-run -Werror $(FORMATTED)

# Programs that are judged (tests/evaluate) are written as others write them.
check-shell:
	@git ls-files '*.sh' .ci/run ':!tests/evaluate' | xargs shellcheck

check-shape:
	@tests/lint/layers.sh
	@tests/lint/shape.sh

# The linker is the enforcer of the process split, so its result is what is looked at.
check-linked: all
	@tests/lint/linked.sh $(foreach program,$(PROGRAMS),$(call linked_row,$(program)))

# Pages that a program writes.
check-pages: casemate-policy
	@$(OUT_casemate-policy) show --seccomp --markdown | diff -u docs/SECCOMP.md - || { \
		echo 'docs/SECCOMP.md is not what the tables say:' \
			'make casemate-policy && $(OUT_casemate-policy) show --seccomp' \
			'--markdown >docs/SECCOMP.md' >&2; exit 1; }

check-tidy:
	@$(call pinned,clang-tidy-14); printf '%s\n' $(TIDIED) | xargs -P $(JOBS) -n 4 sh -c \
		'clang-tidy-14 --quiet "$$@" -- $(tidy_flags) 2>/dev/null' tidy

# Both compilers, so that neither's blind spot is ours.
check-clang:
	+@$(MAKE) --no-print-directory CC=clang BUILD=build/clang all

include tests/bench/bench.mk
include tests/evaluate/evaluate.mk

.PHONY: test-trixie
test-trixie:
	tests/support/trixie.sh test

# VM_PARTS="unit root:tests/redteam" runs less; see the script.
.PHONY: test-vm
test-vm:
	tests/support/vm.sh $(VM_PARTS)
