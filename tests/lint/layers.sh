#!/bin/bash
# The arrows of the house: base <- schema <- {validator, sandbox, server}. Siblings speak the wire,
# they never include one another; inside server/ and sandbox/ neither do the programs.
set -euo pipefail
cd "$(dirname "$0")/../.."
failed=0

# complain FOLDER FORBIDDEN-REGEX WHY
complain() {
	local hits
	hits=$(grep -rnE "^#include \"$2" --include='*.[ch]' -- "$1" || true)
	[ -z "$hits" ] && return
	echo "layers: $3:" >&2
	echo "$hits" >&2
	failed=1
}

complain base '(schema|validator|sandbox|server|tests)/' 'base/ depends on nothing'
complain schema '(validator|sandbox|server|tests)/' 'schema/ depends on base/ only'
complain validator '(sandbox|server|tests)/' 'validator/ includes a sibling'
complain sandbox '(validator|server|tests)/' 'sandbox/ includes a sibling'
complain server '(validator|sandbox|tests)/' 'server/ includes a sibling'

# server/client is a library of the commands that call a service, not a program.
for program in server/*/; do
	for other in server/*/; do
		[ "$program" = "$other" ] || [ "$other" = server/client/ ] ||
			complain "$program" "$other" "${program%/} includes another program"
	done
done
for part in warden cell doctor runtimes; do
	[ -d "sandbox/$part" ] || continue
	for other in warden cell doctor runtimes; do
		[ "$part" = "$other" ] ||
			complain "sandbox/$part" "sandbox/$other/" "sandbox/$part includes another program"
	done
done
complain sandbox/layers 'sandbox/(warden|cell|doctor|runtimes|zygote)/' 'the layers include a program'
# sandbox/zygote is a library of the runtimes' programs, which know nothing of one another.
complain sandbox/zygote 'sandbox/(warden|cell|doctor|runtimes)/' 'sandbox/zygote includes a program'
for part in warden cell doctor; do
	complain "sandbox/$part" sandbox/zygote/ "sandbox/$part includes the zygote"
done
for runtime in sandbox/runtimes/*/; do
	for other in sandbox/runtimes/*/; do
		[ "$runtime" = "$other" ] ||
			complain "$runtime" "$other" "${runtime%/} includes another runtime"
	done
done

# A rooted path says where a header lives; a bare one depends on who includes it.
bare=$(grep -rnE '^#include "[^/"]+"' --include='*.[ch]' base schema validator sandbox server || true)
if [ -n "$bare" ]; then
	echo 'layers: includes are rooted ("folder/header.h"):' >&2
	echo "$bare" >&2
	failed=1
fi

# One program, one main.
for folder in server/*/ validator/ sandbox/warden/ sandbox/cell/ sandbox/doctor/ sandbox/runtimes/*/; do
	if [ ! -d "$folder" ] || [ "$folder" = server/client/ ]; then continue; fi
	# A runtime that is data only has no program.
	if ! compgen -G "$folder*.c" >/dev/null; then continue; fi
	mains=("$folder"*_main.c)
	if [ ${#mains[@]} -ne 1 ] || [ ! -e "${mains[0]}" ]; then
		echo "layers: $folder must have exactly one *_main.c" >&2
		failed=1
	fi
done
exit $failed
