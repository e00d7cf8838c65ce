# Casemate: `make help` lists the targets. No configure step; everything lands in build/.

SHELL := /bin/bash
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VERSION := 0.1.0
VARIANT ?= release
BUILD   := build/$(VARIANT)
PREFIX  ?= /usr/local
DESTDIR ?=
VAR     ?= var
PORT    ?= 8443

# The same tree below build/ and below PREFIX, so programs find one another in both.
BIN     := $(BUILD)/bin
LIBEXEC := $(BUILD)/libexec/casemate
SHARE   := $(BUILD)/share/casemate

# Short lines by default; V=1 shows the commands.
ifeq ($(V),)
QUIET = @printf '  %-4s %s\n' $(1) '$(2)';
endif

CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
# libFuzzer comes with clang only.
ifeq ($(VARIANT),fuzz)
CC := clang
endif
CC_IS_CLANG := $(findstring clang,$(shell $(CC) --version 2>/dev/null | head -n 1))

# --- flags: each with its reason --------------------------------------------------------

WARN := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Wformat=2 -Wmissing-prototypes \
	-Wstrict-prototypes -Wcast-qual -Wundef -Werror
# Log lines and error texts are cut at their maximum on purpose.
ifeq ($(CC_IS_CLANG),)
WARN += -Wno-format-truncation
endif

HARDEN_C := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
HARDEN_L := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed

ifeq ($(VARIANT),release)
OPT   := -O2 -g -D_FORTIFY_SOURCE=2
else ifeq ($(VARIANT),asan)
OPT   := -O1 -g -fsanitize=address -fno-omit-frame-pointer -DCASEMATE_TEST_BUILD=1
LOPT  := -fsanitize=address
else ifeq ($(VARIANT),ubsan)
# Without -fno-sanitize-recover a finding prints and the program still exits 0.
OPT   := -O1 -g -fsanitize=undefined -fno-sanitize-recover=all -DCASEMATE_TEST_BUILD=1
LOPT  := -fsanitize=undefined
else ifeq ($(VARIANT),tsan)
OPT   := -O1 -g -fsanitize=thread -DCASEMATE_TEST_BUILD=1
LOPT  := -fsanitize=thread
else ifeq ($(VARIANT),fuzz)
OPT   := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	 -DCASEMATE_TEST_BUILD=1
LOPT  := -fsanitize=address,undefined
else ifeq ($(VARIANT),coverage)
OPT   := -O0 -g --coverage -DCASEMATE_TEST_BUILD=1 -DCASEMATE_COVERAGE=1
LOPT  := --coverage
else ifeq ($(VARIANT),test)
# Like release, but a layer can be switched off by configuration (layers_disabled).
OPT   := -O2 -g -D_FORTIFY_SOURCE=2 -DCASEMATE_TEST_BUILD=1
else
$(error unknown VARIANT '$(VARIANT)')
endif

CPPFLAGS_ALL := -I. -D_GNU_SOURCE -include base/banned.h -DCASEMATE_VERSION='"$(VERSION)"' $(CPPFLAGS)
CFLAGS_ALL   := -std=gnu17 $(WARN) $(OPT) $(HARDEN_C) $(CFLAGS)
LDFLAGS_ALL  := $(LOPT) $(HARDEN_L) $(LDFLAGS)

# --- sources: a folder is a library or a program; no file lists to maintain --------------

# Program -> its folder. Everything in the folder belongs to it.
PROGRAMS := casemate casemate-serve casemate-exec casemate-certs casemate-front casemate-gate \
	    casemate-ledger casemate-validator casemate-warden casemate-cell casemate-doctor \
	    casemate-policy casemate-python casemate-launch casemate-redteam
DIR_casemate           := server/cli
DIR_casemate-serve     := server/supervisor
DIR_casemate-exec      := server/exec
DIR_casemate-certs     := server/certs
DIR_casemate-front     := server/front
DIR_casemate-gate      := server/gate
DIR_casemate-ledger    := server/ledger
DIR_casemate-validator := validator
# More folders of the same program.
PARTS_casemate-validator := validator/code
DIR_casemate-warden    := sandbox/warden
DIR_casemate-cell      := sandbox/cell
DIR_casemate-doctor    := sandbox/doctor
DIR_casemate-policy    := sandbox/policy
DIR_casemate-python    := sandbox/runtimes/python
DIR_casemate-launch    := sandbox/runtimes/launch
DIR_casemate-redteam   := server/redteam

# The grammars that the validator parses with: generated C of others, pinned by hash, compiled once
# for all variants and without our warnings. It outlives `make clean`.
GRAMMARS := deps/grammars/libgrammars.a
GRAMMAR_NAMES := python javascript bash

# Program -> libraries beyond libc. tests/lint/linked.sh compares this table with the binaries.
LIBS_casemate           :=
LIBS_casemate-serve     := -ljansson
LIBS_casemate-exec      := -lcurl -ljansson
LIBS_casemate-redteam   := -lcurl -ljansson
LIBS_casemate-certs     := -lcrypto
LIBS_casemate-front     := -lssl -lcrypto
LIBS_casemate-gate      := -lmicrohttpd
LIBS_casemate-ledger    := -lsqlite3 -lcrypto
LIBS_casemate-validator := $(GRAMMARS) -ltree-sitter -ljansson -lpcre2-8 -lcrypto -lm
LIBS_casemate-warden    := -lseccomp
LIBS_casemate-cell      :=
# Each cell begins as a fork of its maker, and a fork costs by the areas of memory there are: with
# the loader and a shared libc 24, without 9. Sanitizers want the shared libc.
ifneq ($(filter release test,$(VARIANT)),)
LDFLAGS_casemate-cell = $(patsubst -pie,-static-pie,$(LDFLAGS_ALL))
endif
LIBS_casemate-doctor    := -lseccomp
LIBS_casemate-policy    :=
LIBS_casemate-python    := $(shell pkg-config --libs python3-embed 2>/dev/null)
LIBS_casemate-launch    :=
CPPFLAGS_sandbox/runtimes/python := $(shell pkg-config --cflags python3-embed 2>/dev/null | sed 's/-I/-isystem /g')

# Folder libraries that programs share; programs in sandbox/ also get the layers, runtimes the
# zygote, and the commands that call a service get the client.
LIB_base   := $(BUILD)/libbase.a
LIB_schema := $(BUILD)/libschema.a
LIB_layers := $(BUILD)/liblayers.a
LIB_zygote := $(BUILD)/libzygote.a
LIB_client := $(BUILD)/libclient.a
CLIENTS    := server/exec server/redteam
SHARED_LIBS = $(if $(filter sandbox/runtimes/%,$(1)),$(LIB_zygote)) \
	$(if $(filter sandbox/%,$(1)),$(LIB_layers)) $(if $(filter $(CLIENTS),$(1)),$(LIB_client)) \
	$(LIB_schema) $(LIB_base)

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

BASE_OBJ   := $(call objects,$(wildcard base/*.c))
SCHEMA_OBJ := $(call objects,$(wildcard schema/*.c schema/wire/*.c))
LAYERS_OBJ := $(call objects,$(wildcard sandbox/layers/*.c))
ZYGOTE_OBJ := $(call objects,$(wildcard sandbox/zygote/*.c))
CLIENT_OBJ := $(call objects,$(wildcard server/client/*.c))

.PHONY: all
all: $(PROGRAMS) share

.PHONY: $(PROGRAMS)

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call QUIET,CC,$<)$(CC) $(CPPFLAGS_ALL) $(CPPFLAGS_$(patsubst %/,%,$(dir $<))) \
		$(CFLAGS_ALL) -MMD -MP -c $< -o $@

# Embedded with .incbin, which -MMD does not see.
$(call objects,sandbox/runtimes/python/bootstrap.c): sandbox/runtimes/python/bootstrap.py
$(call objects,validator/schema_store.c): $(wildcard schema/draft2020-12/*.json)

$(LIB_base): $(BASE_OBJ)
$(LIB_schema): $(SCHEMA_OBJ)
$(LIB_layers): $(LAYERS_OBJ)
$(LIB_zygote): $(ZYGOTE_OBJ)
$(LIB_client): $(CLIENT_OBJ)
$(BUILD)/lib%.a:
	@rm -f $@
	@ar rcs $@ $^

deps/grammars/fetched.json: validator/code/grammars/package-lock.json
	@tests/support/grammars.sh
deps/grammars/%.o: deps/grammars/fetched.json
	$(call QUIET,CC,deps/grammars/$*.c)$(CC) -std=gnu11 -w -O2 $(HARDEN_C) -Ideps/grammars/$(*D) \
		-c deps/grammars/$*.c -o $@
$(GRAMMARS): $(foreach name,$(GRAMMAR_NAMES),$(addprefix deps/grammars/$(name)/,parser.o scanner.o))
	@rm -f $@
	@ar rcs $@ $^

# One rule set per program: its objects, an archive of them without main for the unit tests,
# and the binary. The user's command goes to bin/, what it starts to libexec/.
define program_rules
OBJ_$(1)  := $$(call objects,$$(wildcard $$(DIR_$(1))/*.c $$(addsuffix /*.c,$$(PARTS_$(1)))))
MAIN_$(1) := $$(filter %_main.o,$$(OBJ_$(1)))
OUT_$(1)  := $(if $(filter casemate,$(1)),$(BIN),$(LIBEXEC))/$(1)
$(BUILD)/libprogram-$(1).a: $$(filter-out %_main.o,$$(OBJ_$(1)))
$$(OUT_$(1)): $$(OBJ_$(1)) $$(call SHARED_LIBS,$$(DIR_$(1))) $$(filter %.a,$$(LIBS_$(1)))
	@mkdir -p $$(@D)
	$$(call QUIET,LD,$$@)$$(CC) $$(or $$(LDFLAGS_$(1)),$$(LDFLAGS_ALL)) -o $$@ $$(OBJ_$(1)) $$(call SHARED_LIBS,$$(DIR_$(1))) $$(LIBS_$(1))
$(1): $$(OUT_$(1))
endef
$(foreach program,$(PROGRAMS),$(eval $(call program_rules,$(program))))

# The schema engine for programs outside the service (docs/SCHEMA.md): what validator/schema.h needs.
SCHEMA_LIBRARY := $(BUILD)/libcasemate-schema.a
SCHEMA_HEADERS := base/buf.h base/err.h base/own.h validator/schema.h
$(SCHEMA_LIBRARY): $(call objects,validator/faults.c $(addprefix base/,buf.c err.c jsonw.c utf8.c) \
	$(filter-out %_command.c %_faults.c,$(wildcard validator/schema_*.c)))
all: $(SCHEMA_LIBRARY)

# Data files the programs load, laid out as they are installed.
.PHONY: share
share:
	@mkdir -p $(SHARE)/schema $(SHARE)/migrations $(SHARE)/runtimes $(SHARE)/redteam $(SHARE)/policies
	@cp -u schema/v1/*.json $(SHARE)/schema/
	@for folder in validator/code/rules/*/; do [ ! -d $$folder ] || { \
		mkdir -p $(SHARE)/rules/$$(basename $$folder) && \
		cp -u $$folder*.json $(SHARE)/rules/$$(basename $$folder)/; }; done
	@cp -u migrations/*.sql $(SHARE)/migrations/
	@cp -u validator/policies/*.json $(SHARE)/policies/
	@cp -u server/redteam/probes/* $(SHARE)/redteam/
	@for file in sandbox/runtimes/*/runtime.json; do dir=$$(dirname $$file); name=$$(basename $$dir); \
		mkdir -p $(SHARE)/runtimes/$$name && find $$dir -maxdepth 1 -type f ! -name '*.[ch]' \
			-exec cp -u -t $(SHARE)/runtimes/$$name {} +; done

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

include tests/tests.mk
include docker/docker.mk

# --- for people ----------------------------------------------------------------------------

.PHONY: run
# By the environment, because no quoting in a recipe survives every folder name.
run: export CASEMATE_BUILD = $(BUILD)
run: export VAR := $(value VAR)
run: export PORT := $(value PORT)
run: deps
	+@$(MAKE) --no-print-directory -j$(JOBS) all
	@exec tests/support/run.sh

.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/casemate \
		$(DESTDIR)$(PREFIX)/share/casemate $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 755 $(BIN)/casemate $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(LIBEXEC)/* $(DESTDIR)$(PREFIX)/libexec/casemate/
	cp -R $(SHARE)/. $(DESTDIR)$(PREFIX)/share/casemate/
	install -D -m 644 $(SCHEMA_LIBRARY) $(DESTDIR)$(PREFIX)/lib/libcasemate-schema.a
	for header in $(SCHEMA_HEADERS); do \
		install -D -m 644 $$header $(DESTDIR)$(PREFIX)/include/casemate/$$header; done
	sed 's|@PREFIX@|$(PREFIX)|' server/supervisor/casemate.service \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/casemate.service

.PHONY: deps
deps:
	@tests/support/deps.sh

.PHONY: format
format:
	clang-format-14 -i $(FORMATTED)

.PHONY: clean
clean: # keeps deps/, for which the network is needed
	rm -rf build

.PHONY: help
help:
	@echo 'make run         install what is missing, build, make certificates, start on PORT=$(PORT)'
	@echo 'make test        install what tests need, run every test'
	@echo 'make check       format, lint, layer arrows, linked libraries'
	@echo 'make bench       speed against physical floors, into build/bench.json'
	@echo 'make evaluate    recall and precision of the code policy, into build/evaluate.json'
	@echo 'make all         build every program with CC=$(CC), VARIANT=$(VARIANT)'
	@echo 'make install     into DESTDIR and PREFIX=$(PREFIX)'
	@echo 'make asan|ubsan|tsan   the tests under a sanitizer'
	@echo 'make fuzz-smoke  every fuzz target for a short while'
	@echo 'make fuzz-long   the targets of the code policy for ten minutes each'
	@echo 'make coverage    line and branch coverage into build/coverage/'
	@echo 'make test-trixie the tests in a Debian 13 root (slow, needs root)'
	@echo 'make test-vm     the tests in a machine with Debian 12 and its kernel (slow, needs root)'
	@echo 'make deps        install the Debian packages only'
	@echo 'make format      apply .clang-format'
	@echo 'make clean       remove build/'
