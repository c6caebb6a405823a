# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The first half of the 2023 story for real: with kvm-vfio's .destroy, as before
# 51cdc8bc120e, a VM whose last reference is put in the close of a device waits for
# the group_lock that this very close holds. With .release, as 6.1 has it, it does not.
# lab: kernels=bookworm timeout=90 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_fixture
steps="vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g
	device x g lt_vfio.0; close d; close v"
check "with .release the last close ends" ltguest -c "$steps; @closer close x; close g; close k"
load_destroy
check "with .destroy it ends if the device goes first" ltguest -c "
	vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g
	device x g lt_vfio.0; close d; close x; close g; close k; close v"
check "lt_destroy puts things back" rmmod lt_destroy
check "and the last close ends again" ltguest -c "$steps; @closer close x; close g; close k"
load_destroy

# In the background: a program with such a task cannot end.
ltguest -c "$steps; @closer& close x; hangs closer 4000; touch /tmp/hung; sleep 600000" &
check "with .destroy it hangs" wait_for 120 [ -e /tmp/hung ]
[ "$(thread_state "$(threads_named closer)")" = D ] || fail "closer is not in D state"
thread_stack closer >/tmp/stack
cat /tmp/stack
for function in vfio_file_set_kvm kvm_vfio_release kvm_destroy_vm lt_vfio_close_device vfio_device_fops_release; do
	check_contains "in $function" /tmp/stack $function
done
pass
