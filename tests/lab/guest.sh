#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Build the lab's guest programs (guest/ltguest, guest/ltexit) as static files for an
# architecture (default: the host's) into the cache and print their directory. Called
# by run.sh and initramfs.sh, and by hand. LAB_CC names another compiler.
set -euo pipefail

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=common.sh
. "$LAB_DIR/common.sh"

ARCH=${1:-$LAB_HOST_ARCH}
[ -n "${LAB_TRIPLET[$ARCH]:-}" ] || die "unknown architecture '$ARCH'; known: ${!LAB_TRIPLET[*]}"
CC=${LAB_CC:-$(tool_for "$ARCH" gcc)}
CFLAGS=(-std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -static -pthread)

build_guest() {
	local target=$1 scratch
	need_tool "$CC"
	mkdir -p "$LAB_CACHE/guest"
	scratch=$(mktemp -d "$LAB_CACHE/guest/.partial.XXXXXX")
	# shellcheck disable=SC2064 # the name is wanted as it is now
	trap "rm -rf '$scratch'" EXIT
	cd "$LAB_DIR/guest"
	mkdir "$scratch/out"
	"$CC" "${CFLAGS[@]}" -o "$scratch/out/ltguest" ltguest.c tasks.c steps.c "machine_$ARCH.c" ||
		die "ltguest does not build (static libc is in libc6-dev, KVM's headers in linux-libc-dev)"
	"$CC" "${CFLAGS[@]}" -o "$scratch/out/ltexit" ltexit.c || die "ltexit does not build"
	# Another run may have been faster; its result is as good.
	mv -T "$scratch/out" "$target" 2>/dev/null || [ -x "$target/ltguest" ]
}

main() {
	local target
	target=$LAB_CACHE/guest/$(cat "$LAB_DIR"/guest/*.[ch] "$LAB_DIR/guest.sh" | sha256sum | cut -c 1-12)-$ARCH
	[ -x "$target/ltguest" ] || build_guest "$target"
	echo "$target"
}

main "$@"
