# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# A kernel without BTF (hidden here), and its types from elsewhere: from a folder a watch finds the deadlock of
# 2023, by kprobes, without the iterators that such a kernel does not have; from a file of the kernel's types
# alone KVM is followed, and what of VFIO is not is told. What is no BTF, or not of this kernel, is refused.
# lab: kernels=bookworm,bookworm-backports,bullseye timeout=400 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

LOCKTRACE=/lab/bin/locktrace

# refused WHAT PATTERN COMMAND...
refused() {
	refused_what=$1 refused_pattern=$2
	shift 2
	status=0
	"$@" >/tmp/refused.out 2>/tmp/refused.err || status=$?
	if [ $status != 2 ] || ! grep -qE -- "$refused_pattern" /tmp/refused.err; then
		cat /tmp/refused.out /tmp/refused.err
		fail "$refused_what: status $status, or no '$refused_pattern' (above)"
	fi
	note "ok: $refused_what"
}

load_fixture
load_kvm
load_vfio
mkdir /tmp/btf
cp /sys/kernel/btf/* /tmp/btf
mount -t tmpfs none /sys/kernel/btf
check "BTF is hidden" [ ! -e /sys/kernel/btf/vmlinux ]

refused "without --btf it says so" "no type information.*--btf" $LOCKTRACE watch --duration 1
refused "a path that is not there" "nosuch: no types can be read from it .No such file" $LOCKTRACE watch --duration 1 --btf /nosuch
refused "a file that is no BTF" "no types can be read from it .it is no BTF" $LOCKTRACE watch --duration 1 --btf /etc/passwd
refused "a folder without vmlinux" "no types can be read from it .No such file" $LOCKTRACE watch --duration 1 --btf /tmp
refused "types of something else" "not the BTF of the running kernel" $LOCKTRACE watch --duration 1 --btf /lab/bin/waiters.bpf.o
refused "the same for check" "not the BTF of the running kernel" $LOCKTRACE check --btf /lab/bin/waiters.bpf.o
refused "fentry is not possible" "has no BTF of its own.*--attach kprobe" $LOCKTRACE watch --duration 1 --btf /tmp/btf --attach fentry
refused "hang is not possible, and says why" "no BPF iterators" $LOCKTRACE hang --btf /tmp/btf

# What is left without fentry.
case $LAB_SUITE in
bookworm-backports) kind=kprobe.multi ;;
*) kind=kprobe ;;
esac

check_run none 2
check_json /tmp/none.out "check says that the types are missing" 'feature("btf") == "no" and (problems | index("btf") != null)'
check_run folder 1 --btf /tmp/btf
check_json /tmp/folder.out "with the folder: a watch by $kind, no hang" \
	"summary | .watch == \"degraded\" and .attach == \"$kind\" and .hang == \"impossible\" and .list == \"degraded\"" \
	"and why" 'problems | index("btf_own") != null'

# A VM from before, whose file is open: found by the kernel's list.
rm -f /tmp/go /tmp/made
ltguest -name guest=old -c "vm v; vcpu c v; touch /tmp/made; await /tmp/go 300000; close c; close v" &
guest=$!
wait_for 120 test -e /tmp/made || fail "the VM was not made"

tracer_start file --json --btf /tmp/btf/vmlinux
check "a VM comes and goes" ltguest -name guest=new -c "vm v; vcpu c v; close c; close v"
tracer_stop file 0
check_json /tmp/file.out \
	"with the kernel's own types KVM is followed" "ready.attach == \"$kind\" and "'(ready.classes | contains(["kvm.lock", "kvm_vcpu.mutex"])) and
		summary.seen.dependencies > 0' \
	"VFIO is not, and that is said" 'ready.missing | contains(["vfio_group.group_lock", "vfio_device_set.lock"])' \
	"the old VM is known by the kernel's list" 'ready.objects.vm == 1' \
	"it is not complete, and says so" 'summary.complete == false and summary.lost.objects > 0'
check_contains "and what is not known" /tmp/file.err 'no BPF iterators'
check_contains "each class is told" /tmp/file.err 'vfio_group.group_lock is not in this kernel, or not in its type information'

status=0
$LOCKTRACE list --json --btf /tmp/btf >/tmp/list.out 2>/tmp/list.err || status=$?
[ $status = 2 ] || fail "list: status $status"
check_json /tmp/list.out "list has the VM, and says that it is not whole" 'any(.kind == "vm") and summary.partial'
touch /tmp/go
wait $guest

[ "$LAB_SUITE" != bullseye ] || pass
tracer_start folder_watch --json --btf /tmp/btf
check "both sides of the deadlock of 2023, one after the other" ltguest -name guest=demo -c "
	vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g
	@opener device x g lt_vfio.0; @closer& close d; join closer 10000
	@opener close x; close g; close k; close v"
case $LAB_SUITE in
bookworm) expected=1 ;;
*) expected=0 ;;
esac
tracer_stop folder_watch $expected
check_json /tmp/folder_watch.out \
	"with the types of the modules VFIO is followed" 'ready.classes | contains(["vfio_group.group_lock", "vfio_device_set.lock"])' \
	"the cycle is found where the kernel has it" \
	"cycle(\"vfio_group.group_lock\"; \"guests_lock\"; \"kvm.lock\") | map(.grade) == if $expected == 1 then [\"likely\"] else [] end"
pass
