#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Test run.sh itself with small cases of its own: each result that a case or a
# broken machine can have must come out as the documented exit status. Called
# by hand after changes to the lab; takes about a minute. Optional: the suite.
set -euo pipefail

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=common.sh
. "$LAB_DIR/common.sh"

SUITE=${1:-bookworm}
FAILED=0

# write_case NAME HEADER: the case's text is on stdin.
write_case() {
	{
		echo "# lab: kernels=$SUITE $2"
		echo '. /lab/lib.sh'
		cat
	} >"$SCRATCH/$1.sh"
}

# expect NAME STATUS PATTERN [ARGUMENT]...: run it; its output holds PATTERN.
expect() {
	local name=$1 status=$2 pattern=$3 got=0
	shift 3
	"$LAB_DIR/run.sh" "${OPTIONS[@]}" "$SCRATCH/$name.sh" "$@" >"$SCRATCH/output" 2>&1 || got=$?
	if [ $got -eq "$status" ] && grep -qE -- "$pattern" "$SCRATCH/output"; then
		note "ok: $name: status $got"
		return
	fi
	cat "$SCRATCH/output"
	note "FAIL: $name: status $got, wanted $status and '$pattern' in the output above"
	FAILED=1
}

SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT
OPTIONS=()

write_case fails 'timeout=60' <<<'fail "on purpose"'
expect fails 1 'FAIL: on purpose'

write_case stops 'timeout=60' <<<'false; pass'
expect stops 1 'FAIL .*status 1'

write_case status_2 'timeout=60' <<<'exit 2'
expect status_2 1 'FAIL .*status 2'

write_case skips 'timeout=60' <<<'skip "no reason"'
expect skips 77 'SKIP: no reason'

write_case wrong_module 'timeout=60 modules=no_such_module' <<<'pass'
expect wrong_module 2 'has no module no_such_module'

write_case more_modules 'timeout=60 modules=kvm-amd,vhost_net' <<<'grep "^vhost_net" /proc/modules; pass'
expect more_modules 0 '^vhost_net'

write_case panics 'timeout=60' <<<'echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger; sleep 30'
expect panics 2 'panic or power off.*twice'

write_case sleeps 'timeout=8' <<<'sleep 100'
expect sleeps 2 'no result after 8 seconds, twice'

# shellcheck disable=SC2016 # for the guest
write_case arguments 'timeout=60' <<<'[ $# = 3 ] && echo "<$1><$2><$3>"; pass'
# shellcheck disable=SC2016
expect arguments 0 '^<it'\''s><\$HOME "`x`><>$' "it's" '$HOME "`x`' ''

write_case texts 'timeout=60 text=docs/json.md' <<<'grep "^# The JSON output" /lab/text/json.md; pass'
expect texts 0 '^# The JSON output'

# A dynamically linked host program and a data file at a place of their own.
OPTIONS=(--file "$(command -v od)" --file "$LAB_DIR/common.sh:/data/here")
write_case files 'timeout=60' <<<'/lab/bin/od --version | grep coreutils; grep -q LAB_SUITES /data/here; pass'
expect files 0 'coreutils'

OPTIONS=(--kernel sid)
[ "$SUITE" = sid ] || expect arguments 77 'the case is for'

OPTIONS=(--console --append 'lab_selftest=1 loglevel=7')
write_case console 'timeout=60' <<<'grep -q lab_selftest=1 /proc/cmdline; echo "<5>hello" >/dev/kmsg; sleep 1; pass'
expect console 0 '^console: .*hello'

exit $FAILED
