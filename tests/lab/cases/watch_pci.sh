# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# A real PCI device through vfio-pci, with modules that load after the tracer
# started: they are attached to, the device, its group and its locks are followed,
# and the kernel's own code gives dependencies and no finding.
# lab: kernels=bookworm-backports,sid,bookworm,bookworm-backports-arm64 timeout=240
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_kvm
tracer_start pci --json
bind_edu
wait_for 120 grep -q "attached to.*vfio_pci_core" /tmp/pci.err || tracer_fail pci "vfio_pci_core was not attached to"
check "a VM with the device comes and goes" ltguest -name guest=pci -c "
	vm v; container k; group g $EDU_GROUP; setcontainer g k; iommu k; kvmvfio d v; groupadd d g
	device x g $EDU_ADDRESS; close x; close d; close g; close k; close v"
tracer_stop pci 0
check_json /tmp/pci.out \
	"at first vfio's classes wait" 'ready.waiting | contains(["vfio_group.group_lock", "vfio_pci_core_device.igate"])' \
	"the device is known as a PCI device, in its group" \
	'summary.seen.objects | .pci_device == 1 and .device == 1 and .group >= 1 and .device_set == 1' \
	"VFIO's dependencies were seen" 'summary.seen.dependencies >= 5' \
	"the trust line tells that the modules came late" \
	'summary.trust | test("Loaded after the start.*vfio.*vfio_pci_core")' \
	"nothing was lost" 'summary.lost | all(. == 0)'
pass
