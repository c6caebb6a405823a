# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# For "make demo": the report of the 2023 KVM/VFIO deadlock, live, on a stock
# Debian 6.1 kernel. The two sides run one after the other, so nothing hangs.
# lab: kernels=bookworm timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_fixture
group=$(lt_vfio_group)
note "stock Debian kernel $(uname -r), real KVM, real VFIO (group $group, device lt_vfio.0)"
NO_COLOR=1 /lab/bin/locktrace watch 2>/tmp/messages &
tracer=$!
wait_for 120 grep -qs 'Ctrl-C ends' /tmp/messages || { cat /tmp/messages; fail "locktrace did not start"; }
grep watching /tmp/messages
note "one task opens the device: group_lock -> guests_lock -> kvm.lock;"
note "another closes the kvm-vfio device: kvm.lock -> group_lock"
ltguest -name guest=demo -c "
	vm v; container k; group g $group; setcontainer g k; iommu k
	kvmvfio d v; groupadd d g
	@opener device x g lt_vfio.0
	@closer& close d; join closer 10000
	@opener close x; close g; close k; close v
"
sleep 1
kill -INT $tracer
status=0
wait $tracer || status=$?
[ $status = 1 ] || fail "locktrace ended with status $status, not 1 for findings"
pass "the deadlock was shown although nothing hung"
