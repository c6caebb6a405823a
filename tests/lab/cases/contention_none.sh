# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# A kernel from before the tracepoint: --attach contention says so, and does not hurt auto.
# lab: kernels=bullseye timeout=120
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

status=0
/lab/bin/locktrace watch --attach contention --duration 1 >/tmp/out 2>/tmp/err || status=$?
cat /tmp/err
[ $status = 2 ] || fail "exit status $status, not 2"
check_contains "the message names the tracepoint and what to do" /tmp/err \
	'no tracepoint contention_begin .*5\.19.*Use auto, fentry or kprobe'
check "nothing else is said" [ "$(wc -l </tmp/err)" = 1 ]
tracer_start auto --json
tracer_stop auto 0
check_json /tmp/auto.out "auto is none" 'ready.attach != "contention"'
pass
