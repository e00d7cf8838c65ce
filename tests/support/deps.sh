#!/bin/bash
# Installs the Debian packages that building and running needs; quick when nothing is missing.
# Arguments add more: "test" for `make test`, "docker" for tests/docker, "check" for `make check`,
# sanitizers and fuzzing, "vm" for `make test-vm`. Uses sudo when not root.
set -euo pipefail

# Debian's release decides names: version 14 of clang's tools, which the format is pinned to, is in
# Debian 12 only. Later releases build, test and fuzz, but do not judge the format.
# shellcheck disable=SC1091 # a file of the system
release=$(. /etc/os-release && echo "${VERSION_ID:-}")

packages=(
	gcc make pkg-config libc6-dev
	libmicrohttpd-dev libjansson-dev libseccomp-dev libsqlite3-dev libssl-dev
	libcurl4-openssl-dev libpcre2-dev libtree-sitter-dev python3-dev libpython3-dev
	python3-numpy python3-pandas python3-matplotlib # preloaded into the Python runtime
	curl ca-certificates
	bash coreutils mawk sed grep jq # the bash runtime
	nodejs # the JavaScript runtime
)
for wish in "$@"; do
	case $wish in
	test)
		packages+=(libcriterion-dev python3-pytest python3-yaml sqlite3 jq openssl
			util-linux procps git binutils)
		;;
	check)
		packages+=(clang shellcheck gcovr git binutils)
		if [ "$release" = 12 ]; then
			packages+=(clang-format-14 clang-tidy-14 libclang-rt-14-dev)
		else
			packages+=(libclang-rt-dev)
		fi
		;;
	docker)
		packages+=(podman debootstrap python3-seccomp python3-yaml python3-venv)
		# Also a kubectl that came from elsewhere is good.
		command -v kubectl >/dev/null || packages+=(kubernetes-client)
		;;
	vm)
		packages+=(qemu-system-x86 debootstrap e2fsprogs util-linux git)
		;;
	*)
		echo "deps: unknown argument $wish" >&2
		exit 2
		;;
	esac
done

# Fetches the grammars, once (grammars.sh). Also an npm that came from elsewhere is good.
[ -e "$(dirname "$0")/../../deps/grammars/fetched.json" ] || command -v npm >/dev/null ||
	packages+=(npm)

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
