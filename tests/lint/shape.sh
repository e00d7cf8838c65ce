#!/bin/bash
# The shape of the code: functions of at most 60 lines, files of at most 700, no open ends, no
# paths of one machine, no banned function. Arguments: the files; all sources without.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ $# -eq 0 ]; then
	mapfile -t sources < <(find base schema validator sandbox server tests -name '*.[ch]' | sort)
else
	sources=("$@")
fi
failed=0

# Our braces: a function's body opens with { and closes with } in the first column.
long=$(awk '
	FNR == 1 { start = 0; name = "" }
	/^[a-zA-Z_].*\(/ && !/;[ \t]*$/ { name = $0 }
	/^\{/ { start = FNR }
	/^\}/ && start {
		if (FNR - start - 1 > 60)
			printf "%s:%d: %d lines: %s\n", FILENAME, start, FNR - start - 1, name
		start = 0
	}' "${sources[@]}")
if [ -n "$long" ]; then
	echo 'shape: a function fits a screen (60 lines):' >&2
	echo "$long" >&2
	failed=1
fi

long=$(wc -l "${sources[@]}" | awk '$2 != "total" && $1 > 700 { print $2 ": " $1 " lines" }')
if [ -n "$long" ]; then
	echo 'shape: a file has at most 700 lines:' >&2
	echo "$long" >&2
	failed=1
fi

# refuse REGEX WHY FILE...
refuse() {
	local pattern=$1 why=$2 hits
	shift 2
	hits=$(grep -nE "$pattern" "$@" /dev/null || true)
	[ -z "$hits" ] && return
	echo "shape: $why:" >&2
	echo "$hits" >&2
	failed=1
}

mapfile -t texts < <(git ls-files -- ':!LICENSE' ':!tests/lint/shape.sh')
mapfile -t product < <(printf '%s\n' "${sources[@]}" | grep -vE '^tests/|^base/banned\.h$')
refuse '\b(TODO|FIXME|XXX|HACK)\b' 'no open ends: finish it or leave it out' "${texts[@]}"
refuse '/(home|Users)/[a-z]' 'a path of one machine' "${texts[@]}"
refuse 'typedef (struct|union|enum)' 'structures go by their own name' "${product[@]}"
mapfile -t written < <(printf '%s\n' "${texts[@]}" | grep -vE '^tests/(fuzz/(corpus|regression)|api/torture)/')
refuse '[ 	]+$' 'white space at the end of a line' "${written[@]}"
# A call that was told of may go on in one place only, which says why (execve).
mapfile -t decided < <(printf '%s\n' "${product[@]}" | grep -vx 'sandbox/warden/notify.c')
refuse 'NOTIF_FLAG_CONTINUE' 'a told call is refused; see sandbox/warden/notify.c' "${decided[@]}"
if [ "$(grep -c 'NOTIF_FLAG_CONTINUE' sandbox/warden/notify.c)" != 1 ]; then
	echo 'shape: execve is the one call that goes on after it was told of' >&2
	failed=1
fi
# base/banned.h makes these errors where it is included; macros could hide from it.
refuse '\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|alloca|system|popen)\(' \
	'a banned function (base/banned.h)' "${product[@]}"
exit $failed
