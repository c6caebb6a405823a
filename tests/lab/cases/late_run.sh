# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Locks that were held since before the tracer came. A vCPU has slept in KVM_RUN,
# with its mutex, all the while; then it wakes, without leaving KVM_RUN, and
# touches memory whose driver takes a lock in the page fault: that is a
# dependency of the vCPU's mutex, and makes a cycle with a task that takes them
# the other way round. And tasks of the fixture hold locks since before: one has
# what it takes next under that; one has two, and nobody knows in which order.
# By each attach kind.
# lab: kernels=bookworm,bookworm-backports timeout=400 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

OUTER=lt_locks_state.outer
INNER=lt_locks_state.inner

# The load: two VMs, as lt_lock_p is taken under the vCPU's mutex, and a vCPU's
# mutex, of the other VM first, under lt_lock_p; the same vCPU only once it has
# left KVM_RUN. The files say how far it is and may go.
prepare() {
	rm -f /tmp/made /tmp/go /tmp/went /tmp/go_on
	ltguest -name guest=late -c "
		vm v; vcpu c v; memory v 0x2000 /dev/lt_locks; @cpu0& run c
		vm w; vcpu d w
		@holder locks lock outer; @other locks lock pinner, lock pouter
		sleep 300; hangs cpu0 1; touch /tmp/made; await /tmp/go 100000
		nmi v; sleep 200; hangs cpu0 1
		@reverse locks lock p; @reverse regs d; @reverse locks unlock p
		@holder locks lock a, unlock a, unlock outer
		@other locks lock b, unlock b, unlock pouter, unlock pinner
		@reverse locks lock a, lock outer, unlock outer, unlock a
		@reverse locks lock pinner, lock pouter, unlock pouter, unlock pinner
		touch /tmp/went; await /tmp/go_on 100000
		kick c; join cpu0 5000; @reverse locks lock p; @reverse regs c; @reverse locks unlock p
		close c; close v; close d; close w
	" &
	guest=$!
	wait_for 120 [ -e /tmp/made ] || fail "the vCPU does not run"
	thread_stack cpu0 >/tmp/stack
	check_contains "the vCPU sleeps in KVM_RUN" /tmp/stack 'kvm_vcpu_block|kvm_vcpu_halt'
}

load_kvm
insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks"
[ $# -gt 0 ] || set -- fentry kprobe
for kind in "$@"; do
	prepare
	tracer_start "$kind" --json -v --attach "$kind" \
		--watch $OUTER@lt_locks_state \
		--watch "$OUTER@*lt_locks_pointer" --watch "$INNER@*lt_locks_pointer"
	touch /tmp/go
	check "$kind: the vCPU wakes and takes a lock, all inside KVM_RUN" wait_for 120 [ -e /tmp/went ]
	check "$kind: it is told while the vCPU is still in KVM_RUN" wait_for 120 grep -q '"grade":"possible"' "/tmp/$kind.out"
	touch /tmp/go_on
	check "$kind: the load ends well" wait $guest
	tracer_stop "$kind" 1
	check_json "/tmp/$kind.out" \
		"$kind: the VMs and vCPUs were found" 'ready.objects | .vm == 2 and .vcpu == 2' \
		"$kind: the vCPU's mutex and the fault's lock make a cycle, likely once it is the same vCPU" \
		'cycle("kvm_vcpu.mutex"; "lt_lock_p") | map([.grade, .previous_grade]) ==
			[["possible", null], ["likely", "possible"]]' \
		"$kind: the mutex was held since before the start" \
		'cycle("kvm_vcpu.mutex"; "lt_lock_p") | all(edge("kvm_vcpu.mutex"; "lt_lock_p") |
			.task.comm == "cpu0" and (.held | map([.class, .before_start, .at]) == [["kvm_vcpu.mutex", true, null]]))' \
		"$kind: the stack is that of a page fault in KVM_RUN" \
		'cycle("kvm_vcpu.mutex"; "lt_lock_p")[0] | edge("kvm_vcpu.mutex"; "lt_lock_p").stack |
			map(sub("\\+.*"; "")) | index("lt_locks_fault") < index("kvm_arch_vcpu_ioctl_run")' \
		"$kind: the other half is not from before" \
		'cycle("kvm_vcpu.mutex"; "lt_lock_p")[0] | edge("lt_lock_p"; "kvm_vcpu.mutex") |
			.task.comm == "reverse" and (.held | map([.class, .before_start]) == [["lt_lock_p", false]])' \
		"$kind: the VM is named" \
		'cycle("kvm_vcpu.mutex"; "lt_lock_p")[0] | edge("kvm_vcpu.mutex"; "lt_lock_p") |
			.task.vm == "late" and (.held[0].object | test("vCPU 0 of VM .* .late."))' \
		"$kind: a task of the fixture that held outer since before" \
		"cycle(\"$OUTER\"; \"lt_lock_a\") | map(.grade) == [\"likely\"] and (.[0] | edge(\"$OUTER\"; \"lt_lock_a\") |
			.task.comm == \"holder\" and (.held | map([.class, .before_start]) == [[\"$OUTER\", true]]))" \
		"$kind: no other cycle, so no order was made up for the two that one task held" 'findings | map(.id) | unique | length == 2' \
		"$kind: nothing was lost" 'summary.lost | all(. == 0)'
done
pass
