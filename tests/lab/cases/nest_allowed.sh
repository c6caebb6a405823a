# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Locks of one class inside each other as KVM itself does it, and locks that are not
# let go in reverse order: no finding at all.
# lab: kernels=bookworm,bookworm-backports timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

# sev DESTINATION SOURCE: both VMs' kvm->lock, in KVM's function for it.
sev() {
	echo "in sev_lock_two_vms kvm.lock $1 kvm.lock $2"
}

allowed() {
	ltguest -name guest=demo -c "
		vm v; vcpu c0 v 0; vcpu c1 v 1; vcpu c2 v 2; vm w; vcpu d0 w 0; vcpu d1 w 1
		# as SEV's migration: two VMs, in both directions, and then all their vCPUs
		@t1 objects $(sev v w), unlock kvm.lock v, unlock kvm.lock w
		@t2 objects $(sev w v), unlock kvm.lock w, unlock kvm.lock v
		@t1 objects $(sev v w), lock kvm_vcpu.mutex c0, lock kvm_vcpu.mutex c1, lock kvm_vcpu.mutex d0
		@t1 objects unlock kvm_vcpu.mutex d0, unlock kvm_vcpu.mutex c1, unlock kvm_vcpu.mutex c0
		@t1 objects unlock kvm.lock v, unlock kvm.lock w
		@t2 objects $(sev w v), lock kvm_vcpu.mutex d0, lock kvm_vcpu.mutex d1, lock kvm_vcpu.mutex c0
		@t2 objects unlock kvm_vcpu.mutex c0, unlock kvm_vcpu.mutex d1, unlock kvm_vcpu.mutex d0
		@t2 objects unlock kvm.lock v, unlock kvm.lock w
		# all vCPUs of a VM under its kvm->lock, in whatever order
		$(objects_in_order @t1 'kvm.lock v' 'kvm_vcpu.mutex c0' 'kvm_vcpu.mutex c1' 'kvm_vcpu.mutex c2')
		$(objects_in_order @t2 'kvm.lock v' 'kvm_vcpu.mutex c2' 'kvm_vcpu.mutex c1' 'kvm_vcpu.mutex c0')
		# hand over hand: each goes before the one after the next is taken
		@t1 objects lock kvm.lock v, lock kvm.slots_lock v, unlock kvm.lock v, lock kvm.irq_lock v
		@t1 objects unlock kvm.slots_lock v, unlock kvm.irq_lock v
		# what was let go is no longer held, though another lock is all the while
		@t1 locks lock a; @t1 objects lock kvm_vcpu.mutex c0, unlock kvm_vcpu.mutex c0, lock kvm.lock v
		@t1 objects unlock kvm.lock v; @t1 locks unlock a
		@t2 locks lock b; @t2 objects lock kvm_vcpu.mutex c0, unlock kvm_vcpu.mutex c0, lock kvm_vcpu.mutex c1
		@t2 objects unlock kvm_vcpu.mutex c1; @t2 locks unlock b
		@t3 locks lock c; @t3 objects lock kvm.lock v, unlock kvm.lock v, lock kvm.lock w
		@t3 objects unlock kvm.lock w; @t3 locks unlock c
		close c0; close c1; close c2; close v; close d0; close d1; close w"
}

load_objects
insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks"
for kind in fentry kprobe; do
	tracer_start $kind --json --attach $kind
	check "the nestings run" allowed
	tracer_stop $kind 0
	check_json /tmp/$kind.out \
		"no finding" 'findings == [] and summary.ignored == 0 and summary.outside == 0' \
		"and yet the nestings were seen" 'summary.seen.dependencies >= 6' \
		"nothing was lost" 'summary.lost | all(. == 0)'
done
pass
