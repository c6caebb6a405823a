# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# vcpu->mutex, then kvm->lock, once and never the other way round: no cycle, and yet
# a finding, because the kernel's documentation says that kvm->lock goes outside.
# lab: kernels=bookworm,bookworm-backports timeout=300 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

wrong_order() {
	ltguest -name guest=demo -c "vm v; vcpu c v; $(objects_in_order @wrong 'kvm_vcpu.mutex c' 'kvm.lock v')
		close c; close v"
}

load_objects
for kind in fentry kprobe; do
	tracer_start order_$kind --json --attach $kind
	check "vcpu->mutex, then kvm->lock" wrong_order
	tracer_stop order_$kind 1
	check_json /tmp/order_$kind.out \
		"one finding: the order" 'findings | map([.kind, .classes]) == [["order", ["kvm_vcpu.mutex"]]]' \
		"from the lock that was held to the one taken" \
		'findings[0].edges[0] | .from == "kvm_vcpu.mutex" and .to == "kvm.lock" and .task.comm == "wrong" and
			(.held | map(.class)) == ["kvm_vcpu.mutex"] and (.stack | functions | index("lt_objects_write") > 0)' \
		"the rule is quoted, with its source" \
		'findings[0].rules | length == 1 and (.[0] | (.text | test("^order kvm\\.lock > kvm_vcpu\\.mutex")) and
			(.source | test("Documentation/virt/kvm/locking\\.rst")))' \
		"rules are in force" 'ready.rules > 0' \
		"nothing was lost" 'summary.lost | all(. == 0)'
done

tracer_start none --json --no-builtin-rules
check "the same without the built-in rules" wrong_order
tracer_stop none 0
check_json /tmp/none.out "no finding" 'findings == [] and ready.rules == 0' \
	"and yet it was seen" 'summary.seen.dependencies > 0'

tracer_start text
check "and for the text" wrong_order
tracer_stop text 1
for words in 'kvm_vcpu.mutex' 'order kvm\.lock > kvm_vcpu\.mutex' 'Documentation/virt/kvm/locking\.rst' \
	'wrong/[0-9]+' '^Grade: ' '^What to do: ' '^Trust:      complete for mutex'; do
	check_contains "the text has: $words" /tmp/text.out "$words"
done
pass
