#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# On this machine's own kernel, as root: "locktrace list" shows a VM with two vCPUs and a
# kvm-vfio device, made for it by the lab's ltguest, and their locks, free. KVM may be
# built into that kernel, where there is no module "kvm" to find symbols and types in.
# Skipped without root or KVM. Called by tests/run.sh.
set -euo pipefail
NAME=$(basename "$0" .sh)
HERE=$(cd "$(dirname "$0")" && pwd)
BUILD=$HERE/../../build
WORK=$(mktemp -d)
GUEST=''

# shellcheck disable=SC2317 # called by the trap
clean() {
	if [ -n "$GUEST" ]; then
		kill -KILL "$GUEST" 2>/dev/null || true
		wait "$GUEST" 2>/dev/null || true
	fi
	rm -rf "$WORK"
}
trap clean EXIT

fail() {
	echo "native $NAME: FAIL: $*"
	[ ! -s "$WORK/out" ] || cut -c 1-1000 "$WORK/out"
	exit 1
}

skip() {
	echo "native $NAME: SKIP: $*"
	exit 77
}

# expect WHAT FILTER: true for the array of all lines; $vm is our VM's.
expect() {
	jq -e -s --argjson pid "$GUEST" "([.[] | select(.kind == \"vm\" and .pid == \$pid)][0]) as \$vm |
		def parts(\$kind): [.[] | select(.kind == \$kind and .parent == \$vm.addr)];
		$2" "$WORK/out" >/dev/null || fail "$1"
}

[ "$(id -u)" = 0 ] || skip "needs root"
[ -c /dev/kvm ] || skip "no /dev/kvm"
"$("$HERE/../lab/guest.sh")/ltguest" -name guest=native \
	-c "vm v; vcpu a v; vcpu b v 1; kvmvfio d v; touch $WORK/made; await $WORK/never 600000" 2>"$WORK/err" &
GUEST=$!
for _ in $(seq 100); do
	[ ! -e "$WORK/made" ] || break
	kill -0 $GUEST 2>/dev/null || break
	sleep 0.1
done
if [ ! -e "$WORK/made" ]; then
	! grep -q 'open /dev/kvm' "$WORK/err" || skip "KVM cannot be used: $(cat "$WORK/err")"
	fail "no VM: $(cat "$WORK/err")"
fi

# 2: a kernel that keeps processes back from BPF; the VM is told all the same.
status=0
"$BUILD/locktrace" list --json --timeout 60 >"$WORK/out" 2>"$WORK/err" || status=$?
[ $status = 0 ] || grep -q 'does not show [0-9]* of the processes' "$WORK/out" ||
	fail "status $status: $(cat "$WORK/err")"

# shellcheck disable=SC2016 # variables of jq
{
	expect "the VM has its name, and its lock is free" '
		$vm.vm == "native" and ($vm.locks | any(.class == "kvm.lock" and .held_by == "nobody"))'
	expect "its two vCPUs have a mutex each" '
		parts("vcpu") | (map(.number) | sort) == [0, 1] and all(.locks | map(.class) == ["kvm_vcpu.mutex"])'
	expect "its kvm-vfio device has a lock" '
		parts("kvm_vfio") | length == 1 and (.[0].locks | map(.class) == ["kvm_vfio.lock"])'
	expect "all of them are free" '
		[$vm, parts("vcpu")[], parts("kvm_vfio")[] | .locks[]] | all(.held_by == "nobody" and .waiters == 0)'
}
echo "native $NAME: pass"
