#!/bin/bash
# Compares the libraries each binary really needs (NEEDED) with its row of the Makefile's LIBS_
# table, given as "<binary path>:<linker flags>" per argument. A library outside its row means
# code in a process that must not have it.
set -euo pipefail
failed=0

# Always there, or a part of the compiler.
runtime='^(libc|ld-linux-x86-64|ld-linux-aarch64|libgcc_s|libm|libpthread|libdl|libasan|libubsan|libtsan)\.so'

for row in "$@"; do
	binary=${row%%:*}
	flags=${row#*:}
	allowed=$runtime
	for flag in $flags; do
		case $flag in
		-l*) allowed="$allowed|^lib${flag#-l}\.so|^lib${flag#-l}-[0-9.]*\.so" ;;
		esac
	done
	needed=$(readelf -d "$binary" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p')
	extra=$(grep -vE "$allowed" <<<"$needed" || true)
	if [ -n "$extra" ]; then
		echo "linked: $(basename "$binary") needs what its row does not name: $extra" >&2
		failed=1
	fi
	for flag in $flags; do
		case $flag in
		-lm | -ldl | -lpthread | -lutil) continue ;;
		-l*) ;;
		*) continue ;;
		esac
		grep -qE "^lib${flag#-l}[-0-9.]*\.so" <<<"$needed" || {
			echo "linked: $(basename "$binary") does not need ${flag}; take it out of its row" >&2
			failed=1
		}
	done
done
exit $failed
