# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The one object loads and attaches on each kernel, 5.10 (without bpf_loop,
# bpf_get_func_arg, task storage and module BTF) to 7.2 (other mutex, no lock
# names): each program passes the verifier, VMs are found and followed, KVM's own
# locking gives dependencies and no finding.
# lab: kernels=bullseye,bookworm,bookworm-backports,sid,bookworm-backports-arm64 timeout=400
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

# "list" finds the VM, before anything is attached.
# shellcheck disable=SC2016 # variables of jq
list_old() {
	list_run list
	check_json /tmp/list.out \
		"list has the VM with its name, and its lock, free" '[.[] | select(.kind == "vm")] | length == 1 and (.[0] | .vm == "old" and
			(.locks | map(select(.class == "kvm.lock")) | length == 1 and all(.held_by == "nobody" and .waiters == 0)))' \
		"its vCPU with its mutex" '[.[] | select(.kind == "vm")][0].addr as $vm | [.[] | select(.kind == "vcpu")] |
			length == 1 and .[0].parent == $vm and (.[0].locks | map(.class) == ["kvm_vcpu.mutex"])' \
		"the static locks with these" '.[-2].locks | any(.class == "kvm_lock" and .held_by == "nobody")'
}

# 5.10 has no BTF of modules; 7.2 preempts in fentry programs.
kinds() {
	case $LAB_SUITE.$1 in
	bullseye.auto) echo 'kprobe, fentry' ;;
	sid.auto) echo kprobe.multi ;;
	*.auto) echo fentry ;;
	*) echo "$1" ;;
	esac
}

load_kvm
load_vfio
for kind in auto kprobe auto_rwsem kprobe_rwsem; do
	rm -f /tmp/go /tmp/made
	ltguest -name guest=old -c "vm v; vcpu c v; touch /tmp/made; await /tmp/go 300000; close c; close v" &
	guest=$!
	wait_for 120 test -e /tmp/made || fail "the VM was not made"
	[ $kind != auto ] || list_old
	case $kind in
	*_rwsem) rwsem=--rwsem ;;
	*) rwsem= ;;
	esac
	# shellcheck disable=SC2086 # none, or one
	tracer_start "$kind" --json -v --attach "${kind%_rwsem}" $rwsem
	check "a VM comes and goes" ltguest -name guest=new -c "vm v; vcpu c v; close c; close v"
	touch /tmp/go
	wait $guest
	tracer_stop "$kind" 0
	check_not "no program was refused" grep -E "is refused|attaching fails|cannot be attached|are called" "/tmp/$kind.err"
	check_json "/tmp/$kind.out" \
		"attached as is best here" "ready.attach == \"$(kinds "${kind%_rwsem}")\"" \
		"the VM from before was found" 'ready.objects | .vm == 1 and .vcpu == 1' \
		"kvm.lock and kvm_vcpu.mutex are watched" 'ready.classes | contains(["kvm.lock", "kvm_vcpu.mutex", "kvm_lock"])' \
		"all VMs are gone" 'summary.seen.objects | .vm == 0 and .vcpu == 0' \
		"dependencies were seen" 'summary.seen.dependencies > 0' \
		"nothing was lost" 'summary.lost | all(. == 0)'
	[ -z "$rwsem" ] || check_json "/tmp/$kind.out" "rwsems are followed" 'ready.follows == ["mutex", "rw_semaphore"]'
done
pass
