#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# "locktrace check" on this machine's own kernel: as root, what it says of fentry and kprobes is what a watch
# meets, and each thing that is missing has a meaning; types of something else are refused; an ordinary user is
# told what is needed. Skipped without root. Called by tests/run.sh.
set -euo pipefail
NAME=$(basename "$0" .sh)
BUILD=$(cd "$(dirname "$0")/../../build" && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

fail() {
	echo "native $NAME: FAIL: $*"
	cut -c 1-500 "$WORK/out" "$WORK/err"
	exit 1
}

# check STATUS COMMAND...: output to $WORK/out, messages to $WORK/err.
check() {
	local expected=$1 status=0
	shift
	"$@" >"$WORK/out" 2>"$WORK/err" || status=$?
	[ "$expected" = any ] || [ "$status" = "$expected" ] || fail "status $status, expected $expected: $*"
	STATUS=$status
}

# expect WHAT FILTER: true for the array of all lines.
expect() {
	jq -e -s "def feature(\$name): [.[] | select(.type == \"feature\" and .name == \$name)][0];
		def problems: [.[] | select(.type == \"problem\")]; $2" "$WORK/out" >/dev/null || fail "$1"
}

if [ "$(id -u)" != 0 ]; then
	echo "native $NAME: SKIP: needs root"
	exit 77
fi

check any "$BUILD/locktrace" check --json
expect "the status is the summary's" ".[-1].type == \"summary\" and .[-1].status == $STATUS"
expect "each problem is explained" 'problems | all((.means | length > 20) and (.fix | length > 10))'
expect "the kernel is named" "feature(\"release\").detail | test(\"$(uname -r | sed 's/[.+]/\\\\&/g')\")"
cp "$WORK/out" "$WORK/said"
for kind in fentry kprobe; do
	check any timeout 60 "$BUILD/locktrace" watch --duration 1 --attach $kind
	works=yes
	[ "$STATUS" -lt 2 ] || works=no
	cp "$WORK/said" "$WORK/out"
	expect "a watch by $kind works ($works) as said" "feature(\"$kind\").state == \"$works\""
done
expect "where neither works, that is a problem, and what is left is told" '
	if feature("fentry").state == "yes" or feature("kprobe").state == "yes" then true else
		(problems | any(.missing | startswith("fentry kprobe"))) and .[-1].watch != "full" and
		(.[-1].attach == null or .[-1].attach == "contention") and
		([.[] | select(.type == "function")] | all(.state != "reached")) end'

check any "$BUILD/locktrace" check
grep -q '^Verdict' "$WORK/out" || fail "the text has no verdict"

check 2 "$BUILD/locktrace" check --btf "$BUILD/waiters.bpf.o"
grep -q 'not the BTF of the running kernel' "$WORK/err" || fail "types of something else are not refused"
check 2 "$BUILD/locktrace" check --btf "$0"
grep -q 'it is no BTF' "$WORK/err" || fail "a file that is no BTF is not refused"

# A copy: the tree may lie where nobody may go.
chmod 755 "$WORK"
cp "$BUILD/locktrace" "$WORK/locktrace"
check 2 setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$WORK/locktrace" check --json
expect "an ordinary user is told that programs do not load, and what to do" \
	'problems | any(.missing == "program_load" and (.fix | test("root")))'
echo "native $NAME: pass"
