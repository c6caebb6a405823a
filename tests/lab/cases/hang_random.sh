# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# 200 random wait graphs (on kernels other than 6.1: 75), 25 at a time, against what
# lt_waits knows about them: each wait with its lock, kind, owner and what ends it, each
# deadlock, each root.
# Arguments: the first seed, how many rounds, graphs in each.
# lab: kernels=bookworm,bookworm-backports,bullseye timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

case $LAB_SUITE in
bookworm) rounds=8 ;;
*) rounds=3 ;;
esac
seed=${1:-1}
rounds=${2:-$rounds}
graphs=${3:-25}
cycles=0
circles=0

load_waits
for round in $(seq "$rounds"); do
	commands=''
	for _ in $(seq "$graphs"); do
		commands="$commands;random $seed $((2 + seed * 7 % 23)) $((1 + seed % 31))"
		seed=$((seed + 1))
	done
	waits "${commands#;}"
	waits_truth
	status=0
	! grep -q '^cycle' /tmp/truth || status=1
	hang_run random $status --json
	check_waits random
	cycles=$((cycles + $(grep -c '^cycle' /tmp/truth || true)))
	circles=$((circles + $(grep -cE '^cycle [0-9]+ [0-9]+ [0-9]' /tmp/truth || true)))
	waits release
	note "round $round of $rounds is done"
done
note "$((rounds * graphs)) graphs, $WAITS_AGREED waits agreed, $WAITS_UNVERIFIED unverified, $cycles deadlocks, $circles of them of two tasks or more"
[ $WAITS_AGREED -gt $((rounds * graphs * 2)) ] || fail "there were hardly any waits"
[ $circles -gt $((rounds * graphs / 8)) ] || fail "there were hardly any deadlocks"
pass
