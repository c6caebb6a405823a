# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# KVM built into the kernel: there is no module for its functions, symbols and types, and
# yet its VMs are found and followed. A real vCPU takes vcpu->mutex and then arm64's
# config_lock, a lock of no declared class that gets its name where KVM initialises it.
# That is told by a rule which says the opposite, and a call under the first by one that
# forbids it, with places and stacks, whichever kind of program sees it. And a cycle through a real VM's lock and a foreign one.
# lab: kernels=bookworm-backports-arm64 timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_kvm
check_not "there is no module kvm" grep -q '^kvm ' /proc/modules
check_not "nor types of one" test -e /sys/kernel/btf/kvm

cat >/tmp/rules <<'END'
order "&kvm->arch.config_lock" > kvm_vcpu.mutex because "it is the other way round"
forbid call kvm_arch_vcpu_ioctl under kvm_vcpu.mutex because "it always is"
END
for kind in fentry kprobe; do
	tracer_start $kind --json -v --attach $kind --no-builtin-rules --rules /tmp/rules
	check "a VM comes and goes" ltguest -name guest=new -c "vm v; vcpu c v; regs c; sleep 2000; close c; close v"
	tracer_stop $kind 1
	check_not "no program was refused" grep -E "does not load|cannot attach" /tmp/$kind.err
	check_json /tmp/$kind.out \
		"attached as asked" "ready.attach == \"$kind\"" \
		"kvm.lock, kvm_vcpu.mutex and the static kvm_lock are watched" \
		'ready.classes | contains(["kvm.lock", "kvm_vcpu.mutex", "kvm_lock"])' \
		"two findings, of the new VM" 'findings | map([.kind, .classes]) | sort ==
			[["forbidden_call", ["kvm_vcpu.mutex"]], ["order", ["kvm_vcpu.mutex"]]]' \
		"whose name is told" 'findings | all(.edges[0].task.vm == "new")' \
		"from the vCPU of the VM to the lock by the name that KVM gave it" \
		'of_kind("order")[0].edges[0] | .from == "kvm_vcpu.mutex" and .to == "&kvm->arch.config_lock" and
			(.held[0].object | test("^vCPU 0 of VM"))' \
		"with the places where they were taken" 'of_kind("order")[0].edges[0] | [.held[0].at, .taking.at] | functions |
			.[0] == "kvm_vcpu_ioctl" and (.[1] | test("vcpu"))' \
		"and the stack, from the lock and that place on" 'of_kind("order")[0].edges[0] |
			(.stack[0] | startswith("mutex_lock")) and .stack[1] == .taking.at and
			(.stack | functions | index("kvm_vcpu_ioctl") > 1 and index("__arm64_sys_ioctl") != null)' \
		"the call has a stack from itself and its caller on" 'of_kind("forbidden_call")[0] | .function == "kvm_arch_vcpu_ioctl" and
			(.edges[0].stack | functions | .[:3] == ["kvm_arch_vcpu_ioctl", "kvm_vcpu_ioctl", "__arm64_sys_ioctl"])' \
		"nothing was lost" 'summary.lost | all(. == 0)'
done

load_objects
check "lt_locks loads" insmod /lab/fixture/lt_locks.ko
tracer_start cycle --json
check "a VM's lock and a foreign one, in both orders" ltguest -name guest=demo -c "vm v
	@one objects lock kvm.lock v; @one locks lock a, unlock a; @one objects unlock kvm.lock v
	@two locks lock a; @two objects lock kvm.lock v, unlock kvm.lock v; @two locks unlock a
	close v"
tracer_stop cycle 1
check_json /tmp/cycle.out \
	"one finding: the cycle, likely" 'findings | map([.kind, .grade]) == [["circular", "likely"]]' \
	"of these two" 'cycle("kvm.lock"; "lt_lock_a") | length == 1' \
	"by the two tasks" 'findings[0].edges | map(.task.comm) | sort == ["one", "two"]' \
	"nothing was lost" 'summary.complete == true and (summary.lost | all(. == 0))'
pass
