# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# One and the same load by each attach kind gives one and the same report: cycles of KVM's
# lock with foreign ones, and on 6.1 the deadlock of 2023. kprobe.multi where the
# kernel has it; where it does not, it is refused with a sentence. A function that one
# kind cannot reach is attached to by another, unless a kind was asked for.
# lab: kernels=bookworm,bookworm-backports timeout=500 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

has_multi() {
	[ "$LAB_SUITE" != bookworm ]
}

# Of KVM's lock and locks of the fixture: one from before, one with a name, one taken by a function that is seen
# at its return.
cycles() {
	ltguest -name guest=demo -c "
		vm v
		@t1 objects lock kvm.lock v; @t1 locks lock a, unlock a; @t1 objects unlock kvm.lock v
		@t2 locks lock a; @t2 objects lock kvm.lock v, unlock kvm.lock v; @t2 locks unlock a
		locks new late
		@t1 objects lock kvm.lock v; @t1 locks lock late, unlock late; @t1 objects unlock kvm.lock v
		@t2 locks lock late; @t2 objects lock kvm.lock v, unlock kvm.lock v; @t2 locks unlock late
		@t1 objects lock kvm.lock v; @t1 locks dec_and_lock b, unlock b; @t1 objects unlock kvm.lock v
		@t2 locks dec_and_lock b; @t2 objects lock kvm.lock v, unlock kvm.lock v; @t2 locks unlock b
		locks free late"
}

deadlock_of_2023() {
	ltguest -name guest=demo -c "
		vm v; container k; group g $group; setcontainer g k; iommu k; kvmvfio d v; groupadd d g
		@opener device x g lt_vfio.0; @closer& close d; join closer 10000
		@opener close x; close g; close k; close v"
}

check_findings() {
	check_json "$1" \
		"the cycles are found, each once, likely" \
		'[cycle("kvm.lock"; "lt_lock_a"), cycle("kvm.lock"; "late"), cycle("kvm.lock"; "lt_lock_b")] |
			map(map(.grade)) == [["likely"], ["likely"], ["likely"]]' \
		"places and stacks are those of the fixture" \
		'cycle("kvm.lock"; "lt_lock_a")[0] | [edge("kvm.lock"; "lt_lock_a"), edge("lt_lock_a"; "kvm.lock")] |
			all((.held[0].at | test("^lt_")) and (.taking.at | test("^lt_")) and (.stack | functions |
			.[0] == "mutex_lock" and (.[1] | test("^lt_")) and index("vfs_write") != null))' \
		"what is taken is seen at return, too" \
		'cycle("kvm.lock"; "lt_lock_b")[0] | edge("kvm.lock"; "lt_lock_b").stack | functions | index("vfs_write") != null' \
		"the VM is named" 'cycle("kvm.lock"; "late")[0].text | test("kvm.lock of VM [0-9]+ .demo.")' \
		"nothing of the tracer is in the stacks" \
		'[findings[].edges[].stack[]] | any(test("bpf|trampoline|ftrace|rethook|fprobe|kprobe")) | not' \
		"the deadlock of 2023 is found where the kernel has it" \
		"cycle(\"vfio_group.group_lock\"; \"guests_lock\"; \"kvm.lock\") | map(.grade) ==
			if \"$LAB_SUITE\" == \"bookworm\" then [\"likely\"] else [] end" \
		"nothing was lost" 'summary.lost | all(. == 0)'
}

load_fixture
load_objects
group=$(lt_vfio_group)
cat >/tmp/hard.rules <<-END
	# Any number of arguments: no fentry (btf_distill_func_proto() in kernel/bpf/btf.c).
	forbid call dev_set_name under kvm.lock
	# Not traced by ftrace (kernel/trace/Makefile): no kind reaches it (within_notrace_func()).
	forbid call tracing_open_generic under kvm.lock
END

kinds="fentry kprobe"
if has_multi; then
	kinds="$kinds kprobe.multi"
else
	status=0
	/lab/bin/locktrace watch --attach kprobe.multi --duration 1 >/tmp/refused.out 2>&1 || status=$?
	check "kprobe.multi is refused here" [ $status = 2 ]
	check_contains "with what it needs" /tmp/refused.out 'attach kprobe.multi: this kernel does not .*CONFIG_FPROBE.*--attach kprobe'
fi
for kind in $kinds; do
	tracer_start "$kind" --json -v --attach "$kind"
	check "the cycles" cycles
	check "the two sides" deadlock_of_2023
	tracer_stop "$kind" 1
	grep 'attached in' "/tmp/$kind.err" || true
	check_findings "/tmp/$kind.out"
	case $LAB_SUITE.$kind in
	bookworm.kprobe) complete='"unknown"' ;;
	*) complete=true ;;
	esac
	check_json "/tmp/$kind.out" \
		"it says how it is attached" "ready.attach == \"$kind\"" \
		"complete, as far as the kernel can tell" "summary.complete == $complete"
	# All but addresses, ids, times, and the place of what was seen at its return: a kretprobe is not told it.
	/lab/bin/jq -c 'select(.type == "finding") | [.kind, .grade, .classes, (.classes | index("lt_lock_b") != null) as $at_return |
		(.edges[] | [.from, .to, .task.comm] + if $at_return then [] else
		[.stack, (.held + [.taking] | map([.class, .at]))] end)]' "/tmp/$kind.out" | sort >"/tmp/$kind.same"
	check "the same report as by fentry" diff /tmp/fentry.same "/tmp/$kind.same"
done

second=kprobe
! has_multi || second=kprobe.multi
tracer_start auto --json -v --rules /tmp/hard.rules
tracer_stop auto 0
grep -E 'dev_set_name|tracing_open_generic' /tmp/auto.err
check_json /tmp/auto.out \
	"a function that fentry cannot reach is attached to by the next kind" "ready.attach == \"fentry, $second\"" \
	"one that none can reach is counted" 'summary.lost.attach == 1 and summary.complete == false'
check_contains "and said, when the last kind has failed" /tmp/auto.err \
	'^locktrace: cannot attach to tracing_open_generic by kprobe: attaching fails'
tracer_start forced --json --attach fentry --rules /tmp/hard.rules
tracer_stop forced 0
check_json /tmp/forced.out \
	"a kind that was asked for is the only one" 'ready.attach == "fentry"' \
	"what it cannot reach is counted" 'summary.lost.attach == 2'
check_contains "and said" /tmp/forced.err '^locktrace: cannot attach to dev_set_name by fentry: its program is refused'
pass
