# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Modules that go and come back while kprobes trace them (with fentry they
# cannot go). What KVM and the watched lock's module do then is followed again, and
# the report says that it is not complete: no silent loss.
# lab: kernels=bookworm,bookworm-backports timeout=300 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

OUTER=lt_locks_state.outer
VM='vm v; vcpu c v; @cpu& run c; sleep 200; hangs cpu 1; kick c; join cpu 5000; close c; close v'
ABBA='@t1 locks lock outer, lock a, unlock a, unlock outer; @t2 locks lock a, lock outer, unlock outer, unlock a'

load_kvm
insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks"
tracer_launch kvm --json --attach kprobe
tracer_launch locks --json --attach kprobe --watch "$OUTER@lt_locks_state"
tracer_ready kvm
tracer_ready locks
check "kvm goes" rmmod kvm-amd kvm
check "lt_locks goes" rmmod lt_locks
wait_for 120 grep -q 'module kvm was unloaded' /tmp/kvm.err || tracer_fail kvm "did not notice that kvm went"
wait_for 120 grep -q 'module kvm was unloaded' /tmp/locks.err || tracer_fail locks "did not notice that kvm went"
wait_for 120 grep -q 'module lt_locks was unloaded' /tmp/locks.err || tracer_fail locks "did not notice that lt_locks went"

# Their addresses are others' by now. Foreign locks of the image (class 0) may be there: they live on.
nothing_is_watched() {
	for map in $(/lab/bin/bpftool map list | sed -n 's/^\([0-9]*\): hash *name watched .*/\1/p'); do
		/lab/bin/bpftool map dump id "$map"
	done >/tmp/watched
	[ -s /tmp/watched ] && ! grep -q '"class_id": [1-9]' /tmp/watched
}
check "no lock of theirs is watched any more" wait_for 120 nothing_is_watched
load_kvm
insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks again"
wait_for 120 grep -q 'attached to; so far: .*kvm' /tmp/kvm.err || tracer_fail kvm "did not attach to kvm again"
wait_for 120 grep -q 'attached to; so far: .*kvm' /tmp/locks.err || tracer_fail locks "did not attach to kvm again"
wait_for 120 grep -q 'attached to; so far: .*lt_locks' /tmp/locks.err || tracer_fail locks "did not watch lt_locks again"
check "a VM, and two tasks that take two locks in both orders" ltguest -c "$VM; $ABBA"
tracer_interrupt kvm
tracer_interrupt locks
wait_for 120 tracer_has_ended kvm || tracer_fail kvm "does not end"
wait_for 120 tracer_has_ended locks || tracer_fail locks "does not end"
check_json /tmp/kvm.out \
	"the VM's dependencies are seen" 'summary.seen.dependencies > 0' \
	"and it says that it is not complete" 'summary.complete == false and summary.lost.attach > 0'
check_json /tmp/locks.out \
	"the cycle is found" 'findings | length == 1' \
	"and it says that it is not complete" 'summary.complete == false and summary.lost.attach > 0'
pass
