# Everything below tests/: unit tests in Criterion, whole-service tests in pytest, fuzz targets,
# benchmarks. Included by the Makefile.

# --- unit tests: tests/unit/<folder>/test_<file>.c, one binary a folder -------------------
# <folder> is base, schema, layers, or a program's short name (gate, ledger, ...).

UNIT_FOLDERS := $(notdir $(wildcard tests/unit/*))
unit_program = casemate-$(1)
# The objects a folder's tests link with: the program's own without main, then the shared ones.
unit_archive = $(if $(DIR_$(call unit_program,$(1))),$(BUILD)/libprogram-$(call unit_program,$(1)).a)

define unit
$(BUILD)/tests/unit-$(1): $(call objects,$(wildcard tests/unit/$(1)/*.c)) \
		$(call unit_archive,$(1)) $(LIB_layers) $(LIB_schema) $(LIB_base)
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ $$(LIBS_$(call unit_program,$(1))) -lcriterion -lseccomp
endef
$(foreach folder,$(UNIT_FOLDERS),$(eval $(call unit,$(folder))))
# Criterion's assertions put comparison results into bit fields.
$(BUILD)/obj/tests/unit/%.o: CFLAGS_ALL += -Wno-conversion
# They start the real cell maker.
$(BUILD)/tests/unit-layers: | $(OUT_casemate-cell)
UNIT_BINARIES := $(foreach folder,$(UNIT_FOLDERS),$(BUILD)/tests/unit-$(folder))

.PHONY: unit
unit: $(UNIT_BINARIES)
	@for binary in $(UNIT_BINARIES); do echo "== $$binary"; $$binary --jobs 2 || exit 1; done

include tests/bench/bench.mk

.PHONY: test-trixie
test-trixie:
	tests/support/trixie.sh test
