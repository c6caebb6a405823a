# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Rwsems, with --rwsem: lockdep's own test cases of them (lib/locking-selftest.c: AA1,
# AA1B, AA2, AA3, ABBA1, ABBA2, ABBA3) and each way to take one must be found, as the right
# thing, and orders that are kept give nothing: neither do attempts that fail, nor reads
# that another task ends. "sem" is watched; the other locks are met under it or "outer".
# Arguments: attach kinds instead of both.
# lab: kernels=bookworm,bookworm-backports timeout=560 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

SEM=lt_locks_state.sem
OUTER=lt_locks_state.outer
APICV=kvm.arch.apicv_update_lock

# in_order TASK VERB:NAME...: a step that takes these locks so, in this order, and lets go of them.
in_order() {
	order_task=$1
	shift
	order_take=''
	order_release=''
	for order_word in "$@"; do
		order_take="$order_take, ${order_word%%:*} ${order_word##*:}"
		case $order_word in
		read*) order_release=", up_read ${order_word##*:}$order_release" ;;
		write*) order_release=", up_write ${order_word##*:}$order_release" ;;
		*) order_release=", unlock ${order_word##*:}$order_release" ;;
		esac
	done
	echo "$order_task locks ${order_take#, }$order_release"
}

loud() {
	ltguest -name guest=demo -c "
		# ABBA1: read, lock; lock, write
		$(in_order @t1 read:sem lock:a); $(in_order @t2 lock:a write:sem)
		# ABBA2: read, lock; lock, read
		$(in_order @t1 read:sem lock:b); $(in_order @t2 lock:b read:sem)
		# ABBA3: write, lock; lock, write
		$(in_order @t1 write:sem lock:c); $(in_order @t2 lock:c write:sem)
		# each way to take one, as the lock that is held and as the one that is taken
		$(in_order @t1 read_killable:sem lock:d); $(in_order @t2 lock:d read_killable:sem)
		$(in_order @t1 read_interruptible:sem lock:e); $(in_order @t2 lock:e read_interruptible:sem)
		$(in_order @t1 read_trylock:sem lock:f); $(in_order @t2 lock:f write_killable:sem)
		$(in_order @t1 write_killable:sem lock:g); $(in_order @t2 lock:g read:sem)
		$(in_order @t1 write_trylock:sem lock:h); $(in_order @t2 lock:h write:sem)
		@t1 locks write sem, downgrade sem, lock i, unlock i, up_read sem; $(in_order @t2 lock:i write:sem)
		# released in another order than taken, below another one for reading
		@t1 locks read sem, read rb, up_read sem, lock j, unlock j, up_read rb
		@t2 locks lock outer; $(in_order @t2 lock:j write:rb); @t2 locks unlock outer
		# AA1: read, read, of one that is watched
		$(in_order @t1 read:sem read:sem)
		# AA2 of one that is foreign: read, write; another task lets it go
		@t1 locks lock outer, read ra, up_read ra, unlock outer
		@t1 locks read ra; @t1& locks write ra; hangs t1 300; @t2 locks up_read ra; join t1 5000
		@t1 locks up_write ra
		# AA3: write, read; the same
		@t1 locks lock outer, read psem, up_read psem, unlock outer
		@t1 locks write psem; @t1& locks read psem; hangs t1 300; @t2 locks up_write psem; join t1 5000
		@t1 locks up_read psem
		# AA1B: two of one class of KVM's, one order is enough
		vm v; vm w; @t1 objects read $APICV v, read $APICV w, up_read $APICV w, up_read $APICV v
		close v; close w
	"
}

check_loud() {
	set -- "$1" \
		"ABBA1: likely, read and write" \
		"cycle(\"$SEM\"; \"lt_lock_a\") | map(.grade) == [\"likely\"] and
			(.[0] | edge(\"$SEM\"; \"lt_lock_a\").held | map(.kind) == [\"rwsem_read\"]) and
			(.[0] | edge(\"lt_lock_a\"; \"$SEM\").taking.kind == \"rwsem_write\")" \
		"ABBA2: likely, read and read" \
		"cycle(\"$SEM\"; \"lt_lock_b\") | map(.grade) == [\"likely\"] and
			(.[0] | edge(\"$SEM\"; \"lt_lock_b\").held | map(.kind) == [\"rwsem_read\"]) and
			(.[0] | edge(\"lt_lock_b\"; \"$SEM\").taking.kind == \"rwsem_read\")" \
		"ABBA3: likely, write and write" \
		"cycle(\"$SEM\"; \"lt_lock_c\") | map(.grade) == [\"likely\"] and
			(.[0] | edge(\"$SEM\"; \"lt_lock_c\").held | map(.kind) == [\"rwsem_write\"]) and
			(.[0] | edge(\"lt_lock_c\"; \"$SEM\").taking.kind == \"rwsem_write\")"
	for letter in d e f g h i; do
		set -- "$@" "lock $letter of those taken each in its way" \
			"cycle(\"$SEM\"; \"lt_lock_$letter\") | map(.grade) == [\"likely\"]"
	done
	check_json "$@" \
		"a trylock for reading is on the stack as one" \
		"cycle(\"$SEM\"; \"lt_lock_f\")[0] | edge(\"$SEM\"; \"lt_lock_f\").held |
			map([.kind, .trylock]) == [[\"rwsem_read\", true]]" \
		"what is downgraded is held for reading" \
		"cycle(\"$SEM\"; \"lt_lock_i\")[0] | edge(\"$SEM\"; \"lt_lock_i\").held | map(.kind) == [\"rwsem_read\"]" \
		"the one released first is gone, the other is there" \
		"cycle(\"lt_rwsem_b\"; \"lt_lock_j\") | map(.grade) == [\"likely\"] and
			(.[0] | edge(\"lt_rwsem_b\"; \"lt_lock_j\").held | map(.class) == [\"lt_rwsem_b\"])" \
		"AA1: a lock read twice" \
		"findings | map(select(.classes == [\"$SEM\"]) | [.kind, .same_instance, .grade, .edges[0].taking.kind]) ==
			[[\"recursive\", true, \"likely\", \"rwsem_read\"]]" \
		"AA2: a reader that asks for writing" \
		'findings | map(select(.classes == ["lt_rwsem_a"]) | [.kind, .same_instance, .grade, .edges[0].taking.kind]) ==
			[["recursive", true, "likely", "rwsem_write"]]' \
		"AA3: a writer that asks for reading: it waits for itself" \
		'findings | map(select(.edges[0].from == .edges[0].to and .grade == "deadlock") |
			[.kind, .same_instance, .edges[0].taking.kind, .edges[0].task.comm]) ==
			[["recursive", true, "rwsem_read", "t1"]]' \
		"AA1B: two of one class of KVM's" \
		"findings | map(select(.classes == [\"$APICV\"]) | [.kind, .same_instance, .grade]) ==
			[[\"recursive\", false, \"possible\"]]" \
		"no other finding" '[findings[].id] | unique | length == 14' \
		"both kinds are followed" 'ready.follows == ["mutex", "rw_semaphore"] and
			summary.complete_for == ["mutex", "rw_semaphore"] and ready.unfollowed == []' \
		"nothing was lost" 'summary.lost | all(. == 0)' \
		"complete, as far as this kind can know" \
		"summary.complete == (if ready.attach == \"kprobe\" and \"$LAB_SUITE\" == \"bookworm\" then \"unknown\" else true end)"
}

quiet() {
	ltguest -c "
		# one order by many tasks, for reading and writing
		$(for task in @t1 @t2 @t3 %p1 %p2; do
			in_order "$task" lock:outer read:sem lock:a
			in_order "$task" lock:outer write:sem lock:b
			in_order "$task" read_killable:sem read:rb lock:c
		done)
		# trylocks wait for nobody
		$(in_order @t1 read:sem lock:d); $(in_order @t2 lock:d read_trylock:sem)
		$(in_order @t2 lock:d write_trylock:sem)
		# what was let go is not held, though another task reads on
		@keeper locks read sem
		@t1 locks read sem, up_read sem, lock e, unlock e; $(in_order @t2 lock:e read:sem)
		@t1 locks read sem, lock f, up_read sem, lock g, unlock g, unlock f; $(in_order @t2 lock:g read:sem)
		# attempts that failed: by a trylock, by a signal; others read when the next lock is taken
		@keeper locks up_read sem; @t1 locks write sem
		@t2 expect EBUSY locks read_trylock sem; @t3& expect EINTR locks read_interruptible sem
		hangs t3 100; interrupt t3; join t3 5000
		@t4 expect EBUSY locks write_trylock sem
		@t1 locks downgrade sem; $(in_order @t2 lock:h); $(in_order @t3 lock:i); $(in_order @t4 lock:j)
		@t1 locks up_read sem
		$(in_order @t1 lock:h write:sem); $(in_order @t1 lock:i read:sem); $(in_order @t1 lock:j read:sem)
		# one that waited and got it has it until it lets go
		@t1 locks write sem; @t3& locks read_killable sem; hangs t3 100; @t1 locks up_write sem
		join t3 5000; @t3 locks up_read sem; $(in_order @t3 lock:l); $(in_order @t2 lock:l read:sem)
		# read by one task, released by another
		@t1 locks read sem; @t2 locks up_read sem
		@t1 locks lock k, unlock k; $(in_order @t2 lock:k read:sem)
	"
}

check_quiet() {
	check_json "$1" \
		"no finding" 'findings == [] and summary.outside == 0' \
		"and yet it saw the orders" 'summary.seen.dependencies >= 8' \
		"nothing was lost" 'summary.lost | all(. == 0)'
}

load_objects
insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks"
[ $# -gt 0 ] || set -- fentry kprobe
for kind in "$@"; do
	tracer_start "loud_$kind" --json --rwsem --attach "$kind" --watch "$OUTER@lt_locks_state" --watch "$SEM@lt_locks_state"
	check "the loud scenario runs" loud
	tracer_stop "loud_$kind" 1
	check_loud "/tmp/loud_$kind.out"

	tracer_start "quiet_$kind" --json --rwsem --attach "$kind" --watch "$OUTER@lt_locks_state" --watch "$SEM@lt_locks_state"
	check "the quiet scenario runs" quiet
	tracer_stop "quiet_$kind" 0
	check_quiet "/tmp/quiet_$kind.out"
done

tracer_start text --rwsem --watch "$OUTER@lt_locks_state" --watch "$SEM@lt_locks_state"
check "once more, for the text" ltguest -c "$(in_order @t1 read:sem lock:a); $(in_order @t2 lock:a write:sem)"
tracer_stop text 1
for words in 'for reading and wait for' 'waits for lt_locks_state\.sem for writing' 'rlock\(lt_locks_state\.sem\);' \
	'^Trust:      complete for mutex and rw_semaphore'; do
	check_contains "the text has: $words" /tmp/text.out "$words"
done

# A writer's lock that another task releases.
tracer_start unlock --json --rwsem --check-unlock --watch "$SEM@lt_locks_state"
check "an rwsem is released by its writer, and by another task" ltguest -c "
	@t1 locks write sem, up_write sem, write sem; @t2 locks up_write sem"
tracer_stop unlock 1
check_json /tmp/unlock.out \
	"the second is a finding" "findings | map([.kind, .classes, .edges[0].task.comm, .owner_comm]) ==
		[[\"bad_unlock\", [\"$SEM\"], \"t2\", \"t1\"]]"

# Without --rwsem.
tracer_start without --json
tracer_stop without 0
check_json /tmp/without.out \
	"the classes that are rwsems are told as not followed" "(ready.unfollowed | index(\"$APICV\")) != null and
		(ready.classes | index(\"$APICV\")) == null and ready.follows == [\"mutex\"]" \
	"and the kind" 'summary.complete_for == ["mutex"] and (summary.not_followed | test("rw_semaphore"))'
check_contains "in words too" /tmp/without.err "$APICV is an rwsem: not followed without --rwsem"
pass
