# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The 2023 KVM/VFIO deadlock for real: a delay in the driver's open makes the
# two halves of vfio_abba_steps meet. On 6.1 both tasks hang in D state for
# ever; on kernels with the fix (v6.3, 2b48f52f2bff) both end.
# lab: kernels=bookworm,bookworm-backports timeout=90 fixture=yes
# shellcheck source=lib.sh
. /lab/lib.sh

load_fixture open_delay_ms=1500
group=$(lt_vfio_group)
setup="vm v; container k; group g $group; setcontainer g k; iommu k; kvmvfio d v; groupadd d g"
# The opener holds guests_lock (and the group's locks) while the closer starts.
race="@opener& device x g lt_vfio.0; sleep 500; @closer& close d"
note "kernel $(uname -r), group $group"

if [ "$LAB_SUITE" != bookworm ]; then
	check "fixed kernel: both tasks end" ltguest -c "
		$setup; $race
		join opener 10000; join closer 10000
		close x; close g; close k; close v"
	pass
fi

# In the background: a program with such tasks cannot end.
ltguest -name guest=demo -c "$setup; $race
	hangs opener 4000; hangs closer 1; touch /tmp/hung" &
check "both tasks still hang after four seconds" wait_for 120 [ -e /tmp/hung ]
for task in opener closer; do
	thread=$(threads_named $task)
	thread_stack $task >/tmp/stack.$task
	note "$task, thread $thread, state $(thread_state "$thread"):"
	cat /tmp/stack.$task
	check "$task is in D state" [ "$(thread_state "$thread")" = D ]
done
check_contains "the opener waits in the driver's open" /tmp/stack.opener lt_vfio_open_device
check_contains "the closer waits in the close of kvm-vfio" /tmp/stack.closer kvm_device_release
check_contains "the closer waits for the group" /tmp/stack.closer vfio_file_set_kvm
pass
