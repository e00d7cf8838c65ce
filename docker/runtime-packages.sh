#!/bin/bash
# Prints the Debian packages that the installed programs below PREFIX need at run time, one a
# line: the owners of the libraries they link, the modules the Python runtime preloads, and the
# programs of the bash and JavaScript runtimes.
# Names differ between Debian releases (libcurl4, libcurl4t64), so they are looked up, not listed.
set -euo pipefail

prefix=${1:?usage: runtime-packages.sh PREFIX}

owner() {
	# Since the merged /usr, dpkg may know a library by either of two paths.
	dpkg-query -S "$1" 2>/dev/null || dpkg-query -S "/usr$1" 2>/dev/null ||
		dpkg-query -S "${1#/usr}"
}

find "$prefix/bin" "$prefix/libexec/casemate" -type f -exec ldd {} + |
	awk '$3 ~ /^\// { print $3 }' | sort -u |
	while read -r library; do
		owner "$(readlink -f "$library")" | head -n 1 | sed 's/:.*//'
	done | sort -u

printf '%s\n' python3 python3-numpy python3-pandas python3-matplotlib ca-certificates \
	bash coreutils mawk sed grep jq nodejs
