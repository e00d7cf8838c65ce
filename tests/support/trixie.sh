#!/bin/bash
# Builds and tests the committed tree in a debootstrapped Debian 13 (make test-trixie).
# Slow (about a quarter of an hour) and needs root, so it is run by hand and nightly.
# Everything happens in build/trixie and in a private mount namespace; nothing stays mounted.
set -euo pipefail

if [ "$(id -u)" -ne 0 ]; then
	echo "test-trixie: debootstrap and chroot need root: run it with sudo" >&2
	exit 1
fi
if ! command -v debootstrap >/dev/null; then
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends debootstrap
fi

top=$(git rev-parse --show-toplevel)
root=$top/build/trixie/root
target=${1:-test}

if [ ! -e "$root/.complete" ]; then
	rm -rf "$root"
	mkdir -p "$root"
	debootstrap --variant=minbase --include=ca-certificates,git,make,procps,util-linux \
		trixie "$root"
	touch "$root/.complete"
fi

rm -rf "$root/src"
mkdir "$root/src"
git -C "$top" archive HEAD | tar -x -C "$root/src"
corpora=$top/../shared/corpora
if [ -d "$corpora" ]; then
	rm -rf "$root/shared"
	mkdir "$root/shared"
	cp -r "$corpora" "$root/shared/"
fi

# The tests look at what git tracks, so the copy becomes a repository of its own.
# shellcheck disable=SC2016 # the inner shell expands them
unshare --mount --propagation private bash -euo pipefail -c '
	root=$1
	target=$2
	mount -t proc proc "$root/proc"
	mount --rbind /sys "$root/sys"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs tmpfs "$root/tmp"
	chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
		bash -euc "cd /src && git init -q && git add -A && make $target"
' trixie "$root" "$target"
