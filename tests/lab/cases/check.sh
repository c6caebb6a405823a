# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# What "check" says of each kernel: the features that it has, what is missing and what that means, the exit
# status. And it is true: a watch that starts then attaches as was said, and watches the classes that were said.
# lab: kernels=bullseye,bookworm,bookworm-backports,sid timeout=300
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

# bpf_left: programs and links that are there now.
bpf_left() {
	for bpf_kind in prog link; do
		/lab/bin/bpftool $bpf_kind list >/tmp/bpf_list || fail "bpftool cannot list what is there: $bpf_kind"
		grep -c '^[0-9]*:' /tmp/bpf_list || true
	done
}

mount -t securityfs securityfs /sys/kernel/security
bpf_left >/tmp/before

check_run bare any
check_json /tmp/bare.out \
	"nothing of KVM and VFIO is loaded: that is told, and is no problem" \
	'([feature("btf_kvm", "btf_vfio", "btf_vfio_pci_core", "btf_vfio_iommu_type1", "fentry_module")] | all(. == "waiting")) and
		(problems | any(startswith("btf")) | not) and classes_of("found") == [] and
		(functions_of("waiting") | index("kvm_arch_init_vm") != null and index("vfio_create_group") != null)'

load_kvm
load_vfio
modprobe vfio-pci || fail "cannot load vfio-pci"
case $LAB_SUITE in
bullseye) expected=1 hang_and_list=degraded ;;
*) expected=0 hang_and_list=full ;;
esac
read -r from _ </proc/uptime
check_run all $expected
read -r to _ </proc/uptime
note "it took $(((${to%.*}${to#*.} - ${from%.*}${from#*.}) * 10)) ms, emulated"
check_json /tmp/all.out \
	"what every kernel of the lab has" \
	'all(feature("release", "pid_namespace", "capabilities", "lockdown", "addresses", "data_symbols", "btf", "btf_own", "btf_objects",
		"program_load", "test_run", "read_memory", "ring_buffer", "iterator_task", "iterator_task_file", "iterator_map",
		"sched_process_free", "fentry", "fexit", "kprobe", "mutex_waiters", "rwsem_waiters"); . == "yes")' \
	"nothing waits any more; vfio_pci_core is there from 5.15 on" '[.[] | select(.type == "function" and .state == "waiting").module] |
		unique == if "'"$LAB_SUITE"'" == "bullseye" then ["vfio_pci_core"] else [] end' \
	"hang and list are $hang_and_list" "summary | [.hang, .list] | all(. == \"$hang_and_list\")" \
	"the lock functions are reached" 'functions_of("reached") | contains(["mutex_lock", "mutex_lock_interruptible",
		"mutex_lock_killable", "mutex_trylock", "kvm_arch_init_vm", "kvm_vm_ioctl", "vfio_group_fops_open"])' \
	"KVM's classes are found" 'classes_of("found") | contains(["kvm.lock", "kvm.slots_lock", "kvm_vcpu.mutex", "kvm_lock"])'
case $LAB_SUITE in
bullseye)
	check_json /tmp/all.out \
		"no types of modules, so kprobes in them, and VFIO's classes are not there" \
		'all(feature("btf_kvm", "btf_vfio", "btf_vfio_iommu_type1", "fentry_module", "contention", "kprobe_multi"); . == "no") and
			(classes_of("missing") | contains(["vfio_group.group_lock", "vfio_device_set.lock", "kvm_usage_lock"])) and
			(problems | contains(["btf_vfio", "kprobe_misses"]))' \
		"watch is degraded, by fentry and kprobes" 'summary.watch == "degraded" and
			([.[] | select(.type == "function" and .state == "reached") | .attach] | unique | contains(["fentry", "kprobe"]))'
	;;
bookworm | bookworm-backports)
	check_json /tmp/all.out \
		"all is by fentry, and nothing is missing" 'summary.watch == "full" and summary.attach == "fentry" and problems == [] and
			([.[] | select(.type == "function" and .state == "reached") | .attach] | unique == ["fentry"])' \
		"VFIO's classes are found" 'classes_of("found") | contains(["vfio_group.group_lock", "vfio_device_set.lock", "vfio.group_lock",
			"vfio_iommu.lock", "vfio_pci_core_device.igate"])' \
		"tasks do not say what they wait for" 'all(feature("blocked_on", "blocker"); . == "no")' \
		"kprobe.multi where the kernel has FPROBE, contention" \
		"feature(\"kprobe_multi\") == \"$([ "$LAB_SUITE" = bookworm ] && echo no || echo yes)\" and feature(\"contention\") == \"yes\""
	;;
sid)
	check_json /tmp/all.out \
		"it preempts, so no fentry; nothing is missing" 'summary.attach == "kprobe.multi" and problems == [] and
			feature("fentry_module") == "yes" and feature("kprobe_multi") == "yes"' \
		"tasks say what they wait for" 'all(feature("blocked_on", "blocker"); . == "yes")'
	;;
esac
bpf_left >/tmp/after
check "it leaves no program and no link" cmp /tmp/before /tmp/after

tracer_start truth --json
tracer_stop truth 0
/lab/bin/jq -s -c "$json_names"' summary.attach, (classes_of("found", "unfollowed", "waiting", "missing") | sort)' /tmp/all.out >/tmp/said
/lab/bin/jq -s -c "$json_names"' ready | .attach, ((.classes, .unfollowed, .waiting, .missing) | sort)' /tmp/truth.out >/tmp/true
diff /tmp/said /tmp/true || fail "a watch does not attach and watch just so (above: said, done)"
note "ok: a watch attaches and watches just so"

status=0
/lab/bin/locktrace check >/tmp/text || status=$?
check "as text it ends with the same status" [ $status = "$check_got" ]
check_contains "the text has a verdict" /tmp/text '^  hang   (full|degraded)$'
check_contains "and what is reached how" /tmp/text '^  locks taken, by (fentry|kprobe)'

echo 'someone:x:1000:1000::/:/bin/sh' >>/etc/passwd
status=0
su someone -c "/lab/bin/locktrace check" >/tmp/user 2>&1 || status=$?
[ $status = 2 ] || fail "check by an ordinary user: status $status"
check_contains "an ordinary user is told what to do" /tmp/user 'Run it as root'
check_contains "and that nothing works" /tmp/user '^  watch  impossible$'

echo 2 >/proc/sys/kernel/kptr_restrict
check_run hidden 2
check_json /tmp/hidden.out "addresses hidden from root too are told" 'feature("addresses") == "no" and problems == ["addresses"]'
pass
