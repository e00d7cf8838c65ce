#!/bin/bash
# Builds and tests the committed tree in a debootstrapped Debian 13 (make test-trixie).
# Arguments are those of make: `tests/support/trixie.sh unit`, `tests/support/trixie.sh test
# TESTS=tests/api`, `tests/support/trixie.sh all CC=clang BUILD=build/clang`; default: test.
# Slow (about a quarter of an hour) and needs root, so it is run by hand and nightly.
# Everything happens in build/trixie and in private namespaces: nothing stays mounted, no process
# is left.
set -euo pipefail

if [ "$(id -u)" -ne 0 ]; then
	echo "test-trixie: debootstrap and mounts need root: run it with sudo" >&2
	exit 1
fi
if ! command -v debootstrap >/dev/null; then
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends debootstrap
fi

top=$(git rev-parse --show-toplevel)
root=$top/build/trixie/root
[ $# -gt 0 ] || set -- test

if [ ! -e "$root/.complete" ]; then
	rm -rf "$root"
	mkdir -p "$root"
	debootstrap --variant=minbase --include=ca-certificates,git,make,procps,util-linux \
		trixie "$root"
	touch "$root/.complete"
fi

# Where packages come through a proxy that the host knows, pip must know it too.
authorities=/etc/ssl/certs/ca-certificates.crt
[ ! -e "$authorities" ] || cp "$authorities" "$root/etc/ssl/certs/host.crt"

rm -rf "$root/src"
mkdir "$root/src"
git -C "$top" archive HEAD | tar -x -C "$root/src"
# The sources of the grammars, which would be fetched otherwise; it compiles them itself.
if [ -d "$top/deps" ]; then
	cp -a "$top/deps" "$root/src/"
	find "$root/src/deps" -name '*.[oa]' -delete
fi
corpora=$top/../shared/corpora
if [ -d "$corpora" ]; then
	rm -rf "$root/shared"
	mkdir "$root/shared"
	cp -r "$corpora" "$root/shared/"
fi

# pivot_root and not chroot: the kernel makes no user namespace for a process in a chroot.
# The tests look at what git tracks, so the copy becomes a repository of its own.
# shellcheck disable=SC2016 # the inner shell expands them
exec unshare --mount --propagation private --pid --fork --kill-child bash -euo pipefail -c '
	root=$1
	shift
	mount --bind "$root" "$root"
	mount -t proc proc "$root/proc"
	mount --rbind /sys "$root/sys"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
	cd "$root"
	pivot_root . mnt
	cd /src
	umount -l /mnt
	git init -q
	git add -A
	git -c user.name=test -c user.email=test@localhost commit -q -m "copy of the tree"
	authorities=/etc/ssl/certs/host.crt
	[ ! -e "$authorities" ] || set -- "PIP_CERT=$authorities" "$@"
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 make "$@"
' trixie "$root" "$@"
