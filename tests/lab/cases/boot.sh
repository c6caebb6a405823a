# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The lab itself works: the machine boots, the usual file systems are there and
# a virtual machine inside it sleeps in KVM_RUN until it is kicked.
# lab: kernels=bookworm,bullseye,bookworm-backports,bookworm-backports-rt,sid,bookworm-backports-arm64 timeout=90
# shellcheck source=lib.sh
. /lab/lib.sh

note "kernel $(uname -r)"
for directory in /proc/self /sys/kernel/debug/tracing /sys/kernel/tracing/events /sys/fs/bpf; do
	check "$directory is there" [ -d $directory ]
done
check "BTF of the kernel is there" [ -r /sys/kernel/btf/vmlinux ]
check "kallsyms shows addresses" grep -qE '^[0-9a-f]*[1-9a-f][0-9a-f]* T mutex_lock$' /proc/kallsyms

load_kvm
ltguest -name guest=demo -c '
	vm v; vcpu c0 v; vcpu c1 v 1
	@cpu0& run c0; @cpu1& run c1
	touch /tmp/running; await /tmp/go
	hangs cpu0 1; hangs cpu1 1
	kick c0; join cpu0 5000; kick c1; join cpu1 5000
	close c0; close c1; close v
' &
guest=$!
check "vCPUs started" wait_for 120 [ -e /tmp/running ]
sleep 0.3
check "QEMU's way to name a VM is seen" grep -q 'guest=demo' /proc/$guest/cmdline
thread_stack cpu0 >/tmp/stack
check_contains "vCPU 0 sleeps in KVM_RUN" /tmp/stack 'kvm_vcpu_block|kvm_vcpu_halt'
thread_stack cpu1 >/tmp/stack
check_contains "vCPU 1 sleeps in KVM_RUN" /tmp/stack 'kvm_vcpu_block|kvm_vcpu_halt'
touch /tmp/go
check "ltguest ended well" wait $guest
pass
