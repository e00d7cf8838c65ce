# How much the code policy sees. Included by tests/tests.mk.

# Writes build/evaluate.json and the tables of docs/EVALUATION.md.
.PHONY: evaluate
evaluate: all
	/usr/bin/python3 tests/evaluate/evaluate.py --docs --json build/evaluate.json -- $(OUT_casemate) check

# For whoever works on a rule: without what is held out.
.PHONY: evaluate-train
evaluate-train: all
	/usr/bin/python3 tests/evaluate/evaluate.py --train -- $(OUT_casemate) check
