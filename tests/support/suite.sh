#!/bin/bash
# Runs every test of one build and says how many passed. Arguments: build folder, then the unit
# test binaries; pytest's folders follow after "--". Every part runs even when one fails; the last
# line counts them all, and the exit code is 0 only when nothing failed.
set -uo pipefail

build=$1
shift
units=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	units+=("$1")
	shift
done
[ $# -gt 0 ] && shift

# A finding of a sanitizer must not pass: Criterion exits 0 after a leak without abort_on_error.
export ASAN_OPTIONS=${ASAN_OPTIONS:-abort_on_error=1:detect_leaks=1:disable_coredump=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1}

# With two jobs Criterion 2.4.1 itself loses 48 bytes. To suppress that by name would hide every
# leak of ours too, because libcriterion calls our tests.
jobs=2
case $build in *asan) jobs=1 ;; esac

passed=0 failed=0 skipped=0
results=$build/tests/results
rm -rf "$results"
mkdir -p "$results"

# count "key: N" out of Criterion's last line; 0 when it died before it wrote one.
count() {
	local number
	number=$(sed -n "s/.*Synthesis:.*$1: \([0-9]*\).*/\1/p" "$2" | tail -n 1)
	echo "${number:-0}"
}

for unit in "${units[@]}"; do
	name=$(basename "$unit")
	log=$results/$name.log
	"$unit" --jobs "$jobs" --color=never >"$log" 2>&1
	status=$?
	good=$(count Passing "$log")
	bad=$(($(count Failing "$log") + $(count Crashing "$log")))
	# Trust the exit code: a leak leaves the counts green.
	[ "$status" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
	passed=$((passed + good))
	failed=$((failed + bad))
	printf '%-28s %4d passed, %d failed\n' "$name" "$good" "$bad"
	[ "$bad" -eq 0 ] || cat "$log"
done

if [ $# -gt 0 ]; then
	xml=$results/pytest.xml
	/usr/bin/python3 -m pytest -q --junit-xml="$xml" "$@"
	status=$?
	# 5: pytest found no test; with folders named that is a mistake of ours.
	counts=$(/usr/bin/python3 - "$xml" <<'PYTHON'
import sys
import xml.etree.ElementTree as tree

suites = tree.parse(sys.argv[1]).getroot().iter("testsuite")
total = bad = skipped = 0
for suite in suites:
    total += int(suite.get("tests"))
    bad += int(suite.get("failures")) + int(suite.get("errors"))
    skipped += int(suite.get("skipped"))
print(max(total - bad - skipped, 0), bad, skipped)
PYTHON
	) || counts='0 1 0'
	read -r good bad skips <<<"$counts"
	[ "$status" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
	passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skips))
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
