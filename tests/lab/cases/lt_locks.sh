# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Every command of the lock fixture does what it says: locks stay held when the
# command returns, by the task that wrote it, and bad commands are refused.
# lab: kernels=bookworm,bookworm-backports,bullseye,bookworm-backports-arm64 timeout=90 fixture=yes
# shellcheck source=lib.sh
. /lab/lib.sh

load_fixture
note "kernel $(uname -r)"

check "every way to take a mutex" ltguest -c '
	locks dec a; @other locks trylock a, unlock a
	locks lock a; locks lock_killable b; locks lock_interruptible c, lock_io d
	locks trylock e; locks dec_and_lock f
	@other expect EBUSY locks trylock a; @other expect EBUSY locks trylock b
	@other expect EBUSY locks trylock c; @other expect EBUSY locks trylock d
	@other expect EBUSY locks trylock e; @other expect EBUSY locks trylock f
	locks unlock a, unlock b, unlock c, unlock d, unlock e, unlock f
	@other locks trylock a, trylock f, unlock a, unlock f
'
check "a signal ends the wait for a mutex, where it may" ltguest -c '
	locks lock a; @other& expect EINTR locks lock_interruptible a
	hangs other 200; interrupt other; join other 5000; locks unlock a
'
check "a task waits for a held mutex and gets it" ltguest -c '
	locks lock p; @waiter& locks lock p, unlock p
	hangs waiter 300; locks unlock p; join waiter 5000
'
check "members of a structure, also behind a pointer" ltguest -c '
	locks lock outer, lock inner, lock pouter, lock pinner
	@other expect EBUSY locks trylock pinner
	locks unlock pinner, unlock pouter, unlock inner, unlock outer
'
check "rwsems" ltguest -c '
	locks read ra, read_killable ra, read_trylock ra
	@other expect EBUSY locks write_trylock ra
	locks up_read ra, up_read ra, up_read ra
	locks write rb; @other expect EBUSY locks read_trylock rb
	locks downgrade rb; @other locks read_trylock rb, up_read rb
	locks up_read rb, write_killable sem, up_write sem, write_trylock psem, up_write psem
'
check "mutexes made on the fly" ltguest -c '
	locks new dyn, lock dyn, unlock dyn, reinit dyn; expect EEXIST locks new dyn
	locks again dyn, lock dyn_again, unlock dyn_again; expect ENOENT locks again dyn
	locks free dyn_again; expect ENOENT locks free dyn_again; expect EINVAL locks lock dyn_again
	locks reinit a, stack
'
check "bursts and loops" ltguest -c '
	locks pairs 2000 0, pairs 1 8127, pairs_under o 100 4000, loop n 10000, sleep 10
	expect EINVAL locks pairs 2 8127
'
check "bad commands are refused" ltguest -c '
	expect EINVAL locks grab a; expect EINVAL locks lock nosuch; expect EINVAL locks lock
	expect EINVAL locks read a; expect EINVAL locks lock ra; expect EINVAL locks sleep x
	expect EINVAL locks lock a b
'
dmesg | grep lt_locks >/tmp/messages
check_contains "the bad command is named" /tmp/messages "no command 'grab'"
check_contains "the bad lock is named" /tmp/messages "no lock 'nosuch'"

check "a shell writes commands too" sh -c 'echo "lock g; unlock g" >/dev/lt_locks'
for symbol in lt_lock_a lt_lock_p lt_rwsem_a lt_locks_state lt_locks_pointer; do
	check "kallsyms knows $symbol" grep -q " ${symbol}[[:space:]]*\[lt_locks\]" /proc/kallsyms
done
if [ "$LAB_SUITE" != bullseye ]; then
	check "BTF of lt_locks" [ -s /sys/kernel/btf/lt_locks ]
	check "BTF of lt_vfio" [ -s /sys/kernel/btf/lt_vfio ]
	check "kallsyms knows guests_lock" grep -q ' guests_lock[[:space:]]*\[lt_vfio\]' /proc/kallsyms
fi
pass
