#!/bin/bash
# Installs the Debian packages that building and running needs; quick when nothing is missing.
# Arguments add more: "test" for `make test`, "check" for `make check`, sanitizers and fuzzing.
# Uses sudo when not root.
set -euo pipefail

packages=(
	gcc make pkg-config libc6-dev
	libmicrohttpd-dev libjansson-dev libseccomp-dev libsqlite3-dev libssl-dev
	libcurl4-openssl-dev libpcre2-dev python3-dev libpython3-dev
	python3-numpy python3-pandas python3-matplotlib # preloaded into the Python runtime
	curl ca-certificates
)
for wish in "$@"; do
	case $wish in
	test)
		packages+=(libcriterion-dev python3-pytest python3-yaml sqlite3 jq openssl
			util-linux procps git binutils)
		;;
	check)
		packages+=(clang clang-format-14 clang-tidy-14 libclang-rt-14-dev shellcheck
			gcovr git binutils)
		;;
	*)
		echo "deps: unknown argument $wish" >&2
		exit 2
		;;
	esac
done

missing=()
for package in "${packages[@]}"; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
		missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "deps: these packages are missing and there is no sudo to install them:" >&2
		echo "deps:   apt-get install ${missing[*]}" >&2
		exit 1
	fi
	as_root=(sudo)
fi
echo "deps: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
