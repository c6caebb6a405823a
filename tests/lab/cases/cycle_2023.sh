# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Draft.
# lab: kernels=bookworm,bookworm-backports timeout=90 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_fixture
group=$(lt_vfio_group)
for kind in ${LT_KINDS:-fentry kprobe}; do
/lab/bin/locktrace watch --attach $kind -v --json >/tmp/out.json 2>/tmp/err &
tracer=$!
wait_for 30 grep -q '"ready"' /tmp/out.json || { cat /tmp/err; fail "no ready"; }
ltguest -name guest=demo -c "
	vm v; vcpu c v
	container k; group g $group; setcontainer g k; iommu k; map k 0 0x10000
	kvmvfio d v; groupadd d g
	@opener device x g lt_vfio.0
	@closer& close d; join closer 10000
	@opener close x
	unmap k 0 0x10000
	close g; close k; close c; close v
"
kill -INT $tracer
wait $tracer || note "status $?"
cat /tmp/err
cut -c1-3000 /tmp/out.json
/lab/bin/locktrace watch --attach $kind >/tmp/out.txt 2>/tmp/err &
tracer=$!
wait_for 30 grep -q 'Ctrl-C' /tmp/err || { cat /tmp/err; fail "no ready"; }
ltguest -name guest=demo -c "
	vm v; vcpu c v
	container k; group g $group; setcontainer g k; iommu k; map k 0 0x10000
	kvmvfio d v; groupadd d g
	@opener device x g lt_vfio.0
	@closer& close d; join closer 10000
	@opener close x
	unmap k 0 0x10000
	close g; close k; close c; close v
"
kill -INT $tracer
wait $tracer || note "status $?"
cat /tmp/err /tmp/out.txt
done
pass
