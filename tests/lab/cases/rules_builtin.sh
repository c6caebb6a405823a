# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Every built-in rule that is in force on this kernel is broken, by the locks of
# real VMs, groups and devices, and the finding must quote it. A rule that this
# script cannot break must stand in docs/builtin-rules.md as not testable, with the
# reason. The rules themselves are asked of "locktrace rules", so a new one cannot
# be forgotten. On 6.1 a second time with kvm-vfio's .destroy, when others hold.
# lab: kernels=bookworm,bookworm-backports timeout=900 fixture=yes text=docs/builtin-rules.md
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

DRIVER=/sys/bus/platform/drivers/lt_vfio
DOCUMENT=/lab/text/builtin-rules.md
TAB=$(printf '\t')

# The objects that all scenarios share; lt_vfio.1 and on are for those that need
# the end of a device.
setup_script() {
	cat <<-END
	vm v; vcpu c v 0; vcpu c2 v 1; vm w; kvmvfio d v
	container k; group g $(lt_vfio_group 0); setcontainer g k; iommu k; device x g lt_vfio.0
	group g2 $(lt_vfio_group 1)
	container kp; group gp $EDU_GROUP; setcontainer gp kp; iommu kp; device p gp $EDU_ADDRESS
	END
}

# steps_of CLASS [other]: sets $lock and $unlock to ltguest's steps; "other": of a
# second lock of the class. False for a class that no fixture can lock. A name in
# quotes is that of a foreign lock: lt_locks makes one that is called so.
steps_of() {
	of_object=''
	case $1 in
	kvm.lock | kvm.slots_lock | kvm.slots_arch_lock | kvm.irq_lock) of_object="$1 v" ;;
	kvm_vcpu.mutex) of_object="$1 c" ;;
	kvm_vfio.lock) of_object="$1 d" ;;
	vfio_group.group_lock | vfio_group.device_lock) of_object="$1 g" ;;
	vfio_device_set.lock) of_object="$1 x" ;;
	vfio_iommu.lock) of_object="$1 k" ;;
	vfio_pci_core_device.igate | vfio_pci_core_device.ioeventfds_lock) of_object="$1 p" ;;
	kvm_lock | kvm_usage_lock)
		of_object=$(sed -n "s/^\([0-9a-f]*\) . $1\t\[kvm\]$/0x\1/p" /proc/kallsyms)
		[ -n "$of_object" ] || return 1
		;;
	\"*\")
		of_name=${1#\"}
		of_name=${of_name%\"}
		lock="locks lock $of_name"
		unlock="locks unlock $of_name"
		grep -qxF "locks new $of_name" /tmp/script || echo "locks new $of_name" >>/tmp/script
		return 0
		;;
	*) return 1 ;;
	esac
	if [ "${2:-}" = other ]; then
		case $of_object in
		kvm.*) of_object="$1 w" ;;
		kvm_vcpu.*) of_object="$1 c2" ;;
		vfio_group.*) of_object="$1 g2" ;;
		*) return 1 ;;
		esac
	fi
	lock="objects lock $of_object"
	unlock="objects unlock $of_object"
}

# take FIRST SECOND: appends a thread that takes two classes in this order; false:
# it cannot. Of one class, two locks of it.
take() {
	steps_of "$1" || return 1
	take_lock=$lock take_unlock=$unlock
	if [ "$1" = "$2" ]; then
		steps_of "$2" other || return 1
	else
		steps_of "$2" || return 1
	fi
	number=$((number + 1))
	echo "@t$number $take_lock; @t$number $lock; @t$number $unlock; @t$number $take_unlock" >>/tmp/script
}

# unbind_under CLASS: appends a thread that ends a device while it holds the lock.
unbind_under() {
	steps_of "$1" || return 1
	[ $device -lt 7 ] || fail "too few devices of lt_vfio"
	device=$((device + 1)) number=$((number + 1))
	echo "@t$number $lock; @t$number write $DRIVER/unbind lt_vfio.$device; @t$number $unlock" >>/tmp/script
}

# expect WHAT FILTER: for when all has run. A finding quotes this rule: QUOTES.
expect() {
	printf '%s\t%s\n' "$1" "$2" >>/tmp/expected
}

# break_order OUTER INNER: the reverse; where the outer one cannot be taken by
# itself, what the kernel does with it.
break_order() {
	case $1,$2 in
	vfio.group_lock,*) unbind_under "$2" || return 1 ;;
	*,\"*\")
		# A foreign lock is only followed when it was once seen under another.
		take "$1" "$2" || return 1
		take "$2" "$1" || return 1
		;;
	*) take "$2" "$1" || return 1 ;;
	esac
	expect "order $1 > $2" "of_kind(\"order\") | any(.classes == [$(quoted "$2")] and .edges[0].to == $(quoted "$1") and $QUOTES)"
}

# As a JSON string: the quotes of a foreign name are the rule language's.
quoted() {
	quoted_name=${1#\"}
	echo "\"${quoted_name%\"}\""
}

# break_call FUNCTION CLASS: the last reference to a VM, or the end of a device.
break_call() {
	case $1 in
	kvm_destroy_vm)
		steps_of "$2" || return 1
		number=$((number + 1))
		cat >>/tmp/script <<-END
		vm v$number; @t$number $lock; @t$number objects get v$number; close v$number
		@t$number objects put; @t$number $unlock
		END
		;;
	vfio_group_release | vfio_device_release | iommu_group_release)
		case $2 in
		\"*\") take kvm.irq_lock "$2" || return 1 ;;
		esac
		unbind_under "$2" || return 1
		;;
	*) return 1 ;;
	esac
	expect "$1 under $2" "of_kind(\"forbidden_call\") | any(.function == \"$1\" and .classes == [$(quoted "$2")] and $QUOTES)"
}

# known_pattern COMMIT CLASS CLASS [CLASS]: two classes in this order, or in both
# orders by two threads.
known_pattern() {
	case $# in
	3) take "$2" "$3" || return 1 ;;
	4)
		[ "$2" = "$4" ] || return 1
		take "$2" "$3" || return 1
		take "$3" "$2" || return 1
		;;
	*) return 1 ;;
	esac
	known_classes=$(quoted "$2")
	[ $# = 3 ] || known_classes="$known_classes, $(quoted "$3")"
	expect "known $1: $2 > $3${4:+ > $4}" \
		"findings | any(.known.commit == \"$1\" and (.classes | sort) == ([$known_classes] | sort))"
}

# break_rule KIND COMMIT STATEMENT: appends to the script and to what is expected;
# false: it cannot be broken here. Those that name a function the task is in are for
# run_in_function, as they speak of the same pairs of locks.
break_rule() {
	rule_commit=$2
	# shellcheck disable=SC2086 # the words of a statement: no name has a blank
	case "$1 $3" in
	*" in "*) echo "$1$TAB$rule_commit$TAB$3" >>/tmp/in_function ;;
	"order "*)
		set -- ${3#order }
		while [ $# -ge 3 ]; do
			break_order "$1" "$3" || return 1
			shift 2
		done
		;;
	"nest "*)
		set -- $3
		steps_of "$4" || return 1
		take_lock=$lock take_unlock=$unlock
		number=$((number + 1))
		echo "@t$number $take_lock" >>/tmp/script
		thread=$number
		steps_of "$2" && echo "@t$thread $lock" >>/tmp/script && nest_unlock=$unlock &&
			steps_of "$2" other || return 1
		echo "@t$thread $lock; @t$thread $unlock; @t$thread $nest_unlock; @t$thread $take_unlock" >>/tmp/script
		expect "nothing said of $2 under $4" "of_kind(\"recursive\") | any(.classes == [$(quoted "$2")]) | not"
		;;
	"forbid "* | "note "*)
		set -- $3
		break_call "$3" "$5"
		;;
	"known call "*)
		set -- $3
		QUOTES=true # rules are quoted by their findings, known bugs by number
		break_call "$2" "$4" || return 1
		expect "known $rule_commit: call $2 under $4" \
			"of_kind(\"forbidden_call\") | any(.function == \"$2\" and .known.commit == \"$rule_commit\")"
		;;
	"known "*)
		set -- $3
		case $# in
		3) known_pattern "$rule_commit" "$1" "$3" ;;
		5) known_pattern "$rule_commit" "$1" "$3" "$5" ;;
		*) return 1 ;;
		esac
		;;
	*) return 1 ;;
	esac
}

# document_rows KIND COMMIT STATEMENT: the rows of the document for a rule.
document_rows() {
	case $1 in
	known) grep -F -- "$2" $DOCUMENT ;;
	*) grep -F -- "\`$3\`" $DOCUMENT ;;
	esac
}

is_untestable() {
	document_rows "$@" | grep -q 'not testable'
}

# RULES: kind, file, line, commit and statement, without what follows it.
# shellcheck disable=SC2016 # not for the shell
RULES='select(.state == "in_force") | [.kind, .file, .line, ((.text | capture("^known (?<commit>[^ ]+)").commit)? // "-"),
	(.text | sub("^known [^ ]+ [^ ]+ \"[^\"]*\": "; "") | sub(" (because|avoid|if) .*$"; ""))] | @tsv'

# run_all NAME: all rules in force now, in one run of the tracer.
run_all() {
	setup_script >/tmp/script
	rm -f /tmp/expected /tmp/in_function
	touch /tmp/in_function
	number=0 device=1 broken=0 untestable=0
	/lab/bin/locktrace rules --json >/tmp/rules.json
	/lab/bin/jq -r "$RULES" /tmp/rules.json >/tmp/rules
	[ -s /tmp/rules ] || fail "no built-in rule is in force"
	while IFS="$TAB" read -r kind file line commit statement; do
		QUOTES="any(.rules[]; .file == \"$file\" and .line == $line)"
		cp /tmp/script /tmp/script.before
		if break_rule "$kind" "$commit" "$statement"; then
			broken=$((broken + 1))
		elif is_untestable "$kind" "$commit" "$statement"; then
			mv /tmp/script.before /tmp/script
			untestable=$((untestable + 1))
			note "not testable here: $kind $statement"
		else
			fail "$file:$line has no test and is not listed as not testable: $statement"
		fi
	done </tmp/rules
	note "$1: $broken rules can be broken, $untestable are not testable here"
	sed -n 's/^locks new /locks free /p' /tmp/script >/tmp/script.end
	cat /tmp/script.end >>/tmp/script

	tracer_start "$1" --json
	check "the rules are broken" ltguest /tmp/script
	tracer_stop "$1" 1
	set -- "/tmp/$1.out"
	while IFS="$TAB" read -r what filter; do
		set -- "$@" "$what" "$filter"
	done </tmp/expected
	check_json "$@" "nothing was lost" 'summary.lost | all(. == 0)'
	for device in 1 2 3 4 5 6 7; do
		[ -e "$DRIVER/lt_vfio.$device" ] || echo "lt_vfio.$device" >$DRIVER/bind
	done
}

# run_in_function KIND COMMIT STATEMENT: "nest CLASS in FUNCTION": without this line
# the nesting is a finding; "CLASS > CLASS in FUNCTION": it is known.
run_in_function() {
	# shellcheck disable=SC2086 # the words of a statement
	case $1 in
	nest)
		set -- $3
		/lab/bin/jq -r "select(.kind == \"nest\" and (.text | startswith(\"$*\") | not)) | .text" /tmp/rules.json >/tmp/others.rules
		run_script="vm v; vm w; @t objects in $4 $2 v $2 w, unlock $2 v, unlock $2 w"
		tracer_start "in_$4" --json
		check "two of $2 in $4" ltguest -c "$run_script"
		tracer_stop "in_$4" 0
		tracer_start "without_$4" --json --no-builtin-rules --rules /tmp/others.rules
		check "two of $2 in $4" ltguest -c "$run_script"
		tracer_stop "without_$4" 1
		check_json "/tmp/without_$4.out" "without the rule: $*" \
			"findings | map([.kind, .classes, .grade]) == [[\"recursive\", [\"$2\"], \"possible\"]]"
		;;
	known)
		run_commit=$2
		set -- $3
		[ "$1 $3" = "kvm_vcpu.mutex kvm.lock" ] || fail "no test for: $*"
		tracer_start "in_$5" --json
		check "$1, then $3 in $5" ltguest -c "vm v; vcpu c v; @t objects lock $1 c, in $5 $3 v, unlock $3 v, unlock $1 c"
		tracer_stop "in_$5" 1
		check_json "/tmp/in_$5.out" "known $run_commit: $*" "findings | any(.known.commit == \"$run_commit\")"
		;;
	esac
}

load_fixture take_locks=0 devices=8
load_objects
bind_edu
run_all all
while IFS="$TAB" read -r kind commit statement; do
	run_in_function "$kind" "$commit" "$statement"
done </tmp/in_function

# "nest CLASS under CLASS": without the line it is a finding (nest_forbidden has it, too).
/lab/bin/jq -r 'select(.kind == "nest" and (.text | test("^nest kvm_vcpu.mutex under kvm.lock") | not)) | .text' \
	/tmp/rules.json >/tmp/others.rules
tracer_start without_under --json --no-builtin-rules --rules /tmp/others.rules
check "two vCPUs' mutex under kvm.lock" ltguest -c "vm v; vcpu c v 0; vcpu c2 v 1
	$(objects_in_order @t 'kvm.lock v' 'kvm_vcpu.mutex c' 'kvm_vcpu.mutex c2')"
tracer_stop without_under 1
check_json /tmp/without_under.out "without the rule: nest kvm_vcpu.mutex under kvm.lock" \
	'findings | map([.kind, .classes, .grade]) == [["recursive", ["kvm_vcpu.mutex"], "possible"]]'

# Every rule, also those that are not in force here, has its row in the document.
/lab/bin/jq -r "$(echo "$RULES" | sed 's/select([^)]*) | //')" /tmp/rules.json >/tmp/rules
while IFS="$TAB" read -r kind file line commit statement; do
	document_rows "$kind" "$commit" "$statement" >/dev/null ||
		fail "$file:$line is not in docs/builtin-rules.md: $statement"
done </tmp/rules

if [ "$LAB_SUITE" = bookworm ]; then
	load_destroy
	run_all destroy
fi
pass
