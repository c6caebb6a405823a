# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Two locks of a class of KVM's inside each other where no rule allows it: a finding
# at first sight, no reverse needed. Foreign classes nest all the time: none for them.
# And one lock inside of itself.
# lab: kernels=bookworm,bookworm-backports timeout=300 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_objects
insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks"
OUTER=lt_locks_state.outer
INNER=lt_locks_state.inner
for kind in fentry kprobe; do
	tracer_start $kind --json --attach $kind
	check "two VMs' kvm->lock, two vCPUs' mutex, and foreign locks" ltguest -name guest=demo -c "
		vm v; vcpu c0 v 0; vcpu c1 v 1; vm w
		@t1 objects lock kvm.slots_lock v; @t1 locks pairs 3 0; @t1 objects unlock kvm.slots_lock v
		$(objects_in_order @t2 'kvm.lock v' 'kvm.lock w')
		$(objects_in_order @t3 'kvm_vcpu.mutex c0' 'kvm_vcpu.mutex c1')
		close c0; close c1; close v; close w"
	tracer_stop $kind 1
	check_json /tmp/$kind.out \
		"two findings, each told once, at class level" \
		'findings | map([.kind, .classes, .same_instance, .grade, .previous_grade]) == [
			["recursive", ["kvm.lock"], false, "possible", null],
			["recursive", ["kvm_vcpu.mutex"], false, "possible", null]]' \
		"one edge each, between two locks of the class" \
		'findings | all(.edges | length == 1 and .[0].from == .[0].to and .[0].from_addr != .[0].to_addr)' \
		"by those who did it" 'findings | map(.edges[0].task.comm) == ["t2", "t3"]' \
		"nothing was lost" 'summary.lost | all(. == 0)'

	# The same locks in the same order, first as they should be, then inner is its own.
	tracer_start own_$kind --json --attach $kind --watch $OUTER@lt_locks_state --watch $INNER@lt_locks_state
	check "a task waits for itself" ltguest -c "
		@t1 locks lock outer, lock inner, unlock inner, lock a, unlock a, adopt inner
		@t1& locks lock inner; hangs t1 200; @t2 locks unlock inner; join t1 5000
		@t1 locks unlock inner, unlock outer"
	tracer_stop own_$kind 1
	check_json /tmp/own_$kind.out \
		"the self-deadlock is told, though it looks like a chain seen before" \
		"findings | map([.kind, .classes, .same_instance]) == [[\"recursive\", [\"$INNER\"], true]]"
done
pass
