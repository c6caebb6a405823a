# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The same steps on a kernel where the bug is mended: kvm_vfio_release no longer
# takes group_lock, so a report of the cycle would be false. Complete, too: it is
# not missing for want of looking.
# lab: kernels=bookworm-backports timeout=180 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_fixture
tracer_start fixed --json
check "both sides end" ltguest -name guest=demo -c "
	vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g
	@opener device x g lt_vfio.0; @closer& close d; join closer 10000
	@opener close x; close g; close k; close v"
tracer_stop fixed 0
check_json /tmp/fixed.out \
	"no circular finding" 'findings == []' \
	"complete for mutexes" 'summary.complete == true and summary.complete_for == ["mutex"]' \
	"the opener's chain was seen" 'summary.seen.dependencies >= 5 and summary.seen.chains >= 5'
pass
