#!/bin/bash
# What runs inside the machine of vm.sh, started by systemd: the part that the third disk names, then
# its results as an archive onto that disk.
#   unit      the unit tests, as root
#   root      the tests of processes and of the whole service, as root; services that tests run
#             as an ordinary user have no control groups there
#   user      the same as an account, in a system service with Delegate=yes
#   manager   the same as an account, in a service of that account's own systemd
#   systemd   the installed service under systemd
#   shell     a command, to look at something: shell:'uname -a'
# part:arguments replaces what pytest runs, e.g. root:tests/redteam.
set -uo pipefail
cd /src || exit 1

# Emulation costs a factor of ten to twenty.
export SLOW=${SLOW:-$(cat build/vm-slow)} LANG=C.UTF-8 HOME=/root

# The tests go into a leaf, so that the services they start can have groups with controllers
# beside it (tests/support/cgroups.py).
enter_leaf() {
	CASEMATE_TEST_CGROUP=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
	mkdir -p "$CASEMATE_TEST_CGROUP/tests"
	echo $$ >"$CASEMATE_TEST_CGROUP/tests/cgroup.procs" &&
		echo '+memory +pids +cpu' >"$CASEMATE_TEST_CGROUP/cgroup.subtree_control" &&
		export CASEMATE_TEST_CGROUP
}

run_pytest() {
	# shellcheck disable=SC2086 # several arguments
	tests/support/suite.sh build/release -- ${1:-tests/process tests/api tests/redteam}
}

# A copy that the account may write to; the programs in it are the same.
as_account() {
	rm -rf ~tester/src
	cp -a /src ~tester/src
	chown -R tester:tester ~tester/src
	"$@" --wait --collect --pipe --quiet --property=Delegate=yes --setenv=SLOW="$SLOW" \
		~tester/src/tests/support/vm_inside.sh --pytest "$arguments"
	local status=$?
	cp -a ~tester/src/build/release/tests/results /src/build/release/tests/
	return $status
}

run_part() {
	local part=${1%%:*} arguments=
	[ "$part" = "$1" ] || arguments=${1#*:}
	case $part in
	unit) tests/support/suite.sh build/release build/release/tests/unit-* ;;
	root) run_pytest "$arguments" ;;
	user) as_account systemd-run --uid=tester ;;
	manager)
		loginctl enable-linger tester
		as_account setpriv --reuid=1000 --regid=1000 --init-groups env XDG_RUNTIME_DIR=/run/user/1000 \
			systemd-run --user
		;;
	systemd) run_pytest "${arguments:-tests/vm}" ;;
	shell) bash -c "$arguments" ;;
	*)
		echo "vm: unknown part $part" >&2
		return 1
		;;
	esac
}

enter_leaf || exit 1
if [ "${1-}" = --pytest ]; then
	cd "$(dirname "$0")/../.." || exit 1
	run_pytest "$2"
	exit
fi

results=/run/results
mkdir -p $results build/release/tests
part=$(head -n 1 /dev/vdc | tr -d '\0')
echo "=== $part"
started=$SECONDS
if run_part "$part" 2>&1 | tee "$results/${part%%:*}.log"; then
	state=good
else
	state=FAILED
fi
echo "$part: $state, $((SECONDS - started)) s, $(tail -n 1 "$results/${part%%:*}.log")" |
	tee $results/summary
mv build/release/tests/results $results/each 2>/dev/null
tar -C $results -cf /dev/vdc .
sync
