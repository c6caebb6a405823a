# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The main job: the KVM/VFIO deadlock of 2023 on a stock Debian 6.1 kernel. Its
# two sides run one after the other, by two tasks, so nothing hangs; the report
# must have all that lockdep would print. By each attach kind; with the VM, the
# group and the kvm-vfio device made after the tracer started, and before.
# lab: kernels=bookworm timeout=300 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

PREPARE='vm v; container k; group g GROUP; setcontainer g k; iommu k; kvmvfio d v; groupadd d g'
SIDES='@opener device x g lt_vfio.0; @closer& close d; join closer 10000;
	@opener close x; close g; close k; close v'

# both_sides WHEN: "after", all is made now; "before", it has been there since
# before the tracer: ltguest waits for a file between the two.
both_sides() {
	case $1 in
	after) ltguest -name guest=demo -c "$PREPARED; $SIDES" ;;
	before) touch /tmp/go && wait "$waiting_guest" ;;
	esac
}

# run NAME WHEN OPTION...: one run of the tracer over both sides.
run() {
	run_name=$1 run_when=$2
	shift 2
	if [ "$run_when" = before ]; then
		rm -f /tmp/go /tmp/made
		ltguest -name guest=demo -c "$PREPARED; touch /tmp/made; await /tmp/go 300000; $SIDES" &
		waiting_guest=$!
		wait_for 120 test -e /tmp/made || fail "the VM was not made"
	fi
	tracer_start "$run_name" "$@"
	both_sides "$run_when" || fail "the two sides did not end"
	tracer_stop "$run_name" 1
}

# The lines that lockdep's report has, in text.
check_text() {
	for pattern in \
		'possible circular locking dependency detected \[likely\]' \
		'^Linux .*, (not )?tainted' \
		'   vfio_group.group_lock \(&group->group_lock\)$' '  -> guests_lock$' '  -> kvm.lock \(&kvm->lock\)$' \
		'^#1: vfio_group.group_lock .* -> guests_lock ' \
		'^    opener/[0-9]+ \(process [0-9]+, VM .demo.\) at .* was about to take$' \
		'^          [0-9a-f]{16} \(kvm.lock \(&kvm->lock\)\) of VM .*, at: lt_vfio_lock_for_kvm\+0x' \
		'^    while it held 3 locks:$' \
		'^      #0: [0-9a-f]{16} \(vfio_device_set.lock \(&new_dev_set->lock\)\) of device set of lt_vfio.0, at: vfio_group_fops_unl_ioctl\+0x' \
		'^      #2: [0-9a-f]{16} \(guests_lock\), at: lt_vfio_lock_for_kvm' \
		'^      kvm_device_release\+0x[0-9a-f]+ \[kvm\]$' \
		'^      mutex_lock$' \
		'^  opener/[0-9]+ +closer/[0-9]+$' '^ {30,}lock\(kvm.lock\);$' '^  lock\(guests_lock\);$' \
		'\*\*\* DEADLOCK \*\*\*' '2b48f52f2bff.*v6\.3|v6\.3.*2b48f52f2bff' '^Grade: ' '^What to do: ' '^Trust:      complete for mutex'; do
		check_contains "the text has: $pattern" "$1" "$pattern"
	done
}

load_fixture
PREPARED=$(echo "$PREPARE" | sed "s/GROUP/$(lt_vfio_group)/")

run fentry after --json
check_cycle_2023 /tmp/fentry.out
check_json /tmp/fentry.out "complete" 'summary.complete == true'
run kprobe after --json --attach kprobe
check_cycle_2023 /tmp/kprobe.out
check_json /tmp/kprobe.out "complete is unknown with kprobes" 'summary.complete == "unknown"'

# The same report by both kinds: all but addresses, ids and times.
for kind in fentry kprobe; do
	/lab/bin/jq -c 'select(.type == "finding") | [.kind, .grade, .classes, (.edges[] | [.from, .to, .task.comm,
		.stack, (.held + [.taking] | map([.class, .at]))])]' "/tmp/$kind.out" >"/tmp/$kind.same"
done
check "both attach kinds give the same report" cmp /tmp/fentry.same /tmp/kprobe.same

run before before --json
check_cycle_2023 /tmp/before.out
check_json /tmp/before.out "the objects were found at the start" \
	'ready.objects | .vm == 1 and .group == 1 and .device == 1 and .kvm_vfio == 1 and .iommu == 1'

run text after
check_text /tmp/text.out
pass
