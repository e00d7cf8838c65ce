#!/bin/bash
# Tests the committed tree in a virtual machine with Debian 12's own kernel (make test-vm): 6.1,
# cgroup version 2, Landlock ABI 2, systemd. Arguments are the parts of tests/support/vm_inside.sh,
# each optionally with what pytest is to run: `tests/support/vm.sh root:tests/redteam`; default:
# all parts. VM_CPUS, VM_MEMORY (MiB) and VM_TIMEOUT (s) change the machine, SLOW is by how much
# everything may take longer, VM_TIMEOUT is of one part.
#
# The processor is emulated, so no virtualisation is needed and everything takes ten to twenty
# times as long, "root" three hours: by hand and nightly. Programs are built before, in the same
# root, at full speed. Needs root for debootstrap and mounts. Everything happens in build/vm; nothing
# stays mounted, and the machine is off when this ends.
set -euo pipefail

if [ "$(id -u)" -ne 0 ]; then
	echo "test-vm: debootstrap and mounts need root: run it with sudo" >&2
	exit 1
fi

top=$(git rev-parse --show-toplevel)
"$top/tests/support/deps.sh" vm
folder=$top/build/vm
root=$folder/root
results=$folder/results
[ $# -gt 0 ] || set -- unit root user manager

# What the system of the machine is made of beyond Debian's minimum and what the tests need.
packages=(
	ca-certificates git make procps util-linux kmod udev iproute2 strace
	linux-image-amd64 initramfs-tools
	systemd systemd-sysv dbus dbus-user-session libpam-systemd
)
# Runs a command of the root as its own machine would, at the host's speed. pivot_root and not
# chroot: the kernel makes no user namespace for a process in a chroot.
in_root() {
	# shellcheck disable=SC2016 # the inner shell expands them
	unshare --mount --propagation private --pid --fork --kill-child bash -euo pipefail -c '
		root=$1
		shift
		mount --bind "$root" "$root"
		mount -t proc proc "$root/proc"
		mount --rbind /sys "$root/sys"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
		cd "$root"
		pivot_root . mnt
		cd /
		umount -l /mnt
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"
	' vm "$root" "$@"
}

make_system() {
	rm -f "$folder"/system.*
	if [ ! -e "$root/.complete" ]; then
		rm -rf "$root"
		mkdir -p "$root"
		debootstrap --variant=minbase bookworm "$root"
		touch "$root/.complete"
	fi
	in_root apt-get install -y -qq --no-install-recommends "${packages[@]}"
	rm -rf "$root/src"
	mkdir "$root/src"
	cp "$top/tests/support/deps.sh" "$root/src/"
	in_root /src/deps.sh test
	rm "$root/src/deps.sh"
	echo '127.0.0.1 localhost' >"$root/etc/hosts"
	# For the parts that run as a person; nobody can log in.
	in_root id tester >/dev/null 2>&1 ||
		in_root useradd --create-home --uid 1000 --shell /bin/bash tester
	cp "${0%.sh}_start.service" "$root/etc/systemd/system/casemate-vm.service"
	in_root systemctl enable casemate-vm.service
	in_root systemctl mask getty.target serial-getty@ttyS0.service apt-daily.timer \
		apt-daily-upgrade.timer systemd-udevd.service systemd-udev-trigger.service
	make_disk "$root" system 8G
	touch "$folder/system.$recipe"
}

# A file system with the content of a folder; sparse, so only what is used takes space.
make_disk() {
	rm -f "$folder/$2.img"
	truncate -s "$3" "$folder/$2.img"
	mkfs.ext4 -q -d "$1" "$folder/$2.img"
}

# Another way to make the system makes another image.
recipe=$({
	declare -f make_system
	echo "${packages[@]}"
	cat "${0%.sh}_start.service" "$top/tests/support/deps.sh"
} | sha256sum | cut -c 1-16)
mkdir -p "$folder"
exec 9>"$folder/lock"
flock --nonblock 9 || {
	echo "test-vm: another one uses $folder" >&2
	exit 1
}
[ -e "$folder/system.$recipe" ] || make_system

rm -rf "$root/src" "$results"
mkdir -p "$root/src" "$results"
git -C "$top" archive HEAD | tar -x -C "$root/src"
# The sources of the grammars, which would be fetched otherwise; it compiles them itself.
if [ -d "$top/deps" ]; then
	cp -a "$top/deps" "$root/src/"
	find "$root/src/deps" -name '*.[oa]' -delete
fi
# The tests look at what git tracks, so the copy becomes a repository of its own.
# shellcheck disable=SC2016 # the inner shell expands them
in_root bash -euo pipefail -c '
	cd /src
	git init -q
	git add -A
	git -c user.name=test -c user.email=test@localhost commit -q -m "copy of the tree"
	make -j"$(nproc)" all unit-binaries
	make -j"$(nproc)" VARIANT=test all'
echo "${SLOW:-15}" >"$root/src/build/vm-slow"
make_disk "$root/src" source 4G
rm -rf "$root/src"
mkdir "$root/src"
kernel=$(echo "$root"/boot/vmlinuz-*)

# Boots for one part, which finds what it is to do at the beginning of the third disk and leaves an
# archive there. Whatever happens to it, the parts before have their results.
# mitigations=off: they cost time and protect nothing in an emulated processor.
run_machine() {
	local into=$results/$2-${1%%:*}
	rm -f "$folder/results.img" # or those of an earlier run would be taken for ours
	printf '%s\n' "$1" >"$folder/results.img"
	truncate -s 64M "$folder/results.img"
	echo "test-vm: booting $(basename "$kernel") with $1"
	timeout --kill-after=10 "${VM_TIMEOUT:-21600}" nice -n 5 qemu-system-x86_64 \
		-M q35 -accel tcg,thread=multi -cpu max -smp "${VM_CPUS:-2}" -m "${VM_MEMORY:-4096}" \
		-nodefaults -no-user-config -display none -no-reboot -serial stdio \
		-drive "file=$folder/system.img,format=raw,if=virtio,snapshot=on" \
		-drive "file=$folder/source.img,format=raw,if=virtio,snapshot=on" \
		-drive "file=$folder/results.img,format=raw,if=virtio,cache=unsafe" \
		-device virtio-rng-pci \
		-kernel "$kernel" -initrd "$(echo "$root"/boot/initrd.img-*)" \
		-append 'root=/dev/vda rw console=ttyS0 quiet mitigations=off systemd.show_status=false' \
		</dev/null || echo "test-vm: the machine did not stop by itself" >&2
	mkdir "$into"
	tar -xf "$folder/results.img" -C "$into" 2>/dev/null || true
	[ -e "$into/summary" ] ||
		echo "$1: FAILED, no results; the console is above" >"$into/summary"
	cat "$into/summary" >>"$results/summary"
}

number=0
for part in "$@"; do
	number=$((number + 1))
	run_machine "$part" $number
done
cat "$results/summary"
if grep -q ': FAILED' "$results/summary"; then
	echo 'test-vm: FAILED'
	exit 1
fi
echo 'test-vm: good'
