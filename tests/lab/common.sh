# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# What the host side scripts of the lab share: names, the cache, messages.
# Sourced by kernels.sh, initramfs.sh, fixture.sh and run.sh; runs nothing.
# Exit status 2 is "the lab itself is in trouble" in all of them.

# The Debian suites the lab knows, oldest kernel first (5.10, 6.1, 6.12, 7.2).
# shellcheck disable=SC2034 # used by those who source this
LAB_SUITES=(bullseye bookworm bookworm-backports sid)

# Everything that is slow to make lives outside the tree and can be deleted.
LAB_CACHE=${LOCKTRACE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/locktrace}

die() {
	echo "${0##*/}: $*" >&2
	exit 2
}

note() {
	echo "${0##*/}: $*" >&2
}

# need_tool COMMAND...: fail with the names of all that are missing.
need_tool() {
	local tool missing=()
	for tool in "$@"; do
		command -v "$tool" >/dev/null || missing+=("$tool")
	done
	[ ${#missing[@]} -eq 0 ] || die "not installed: ${missing[*]} (see tests/lab/README.md for the packages)"
}

check_suite() {
	case " ${LAB_SUITES[*]} " in
	*" $1 "*) ;;
	*) die "unknown suite '$1'; known: ${LAB_SUITES[*]}" ;;
	esac
}

# pack_cpio DIRECTORY: an initramfs archive of it on stdout, all owned by root.
pack_cpio() {
	(cd "$1" && find . -print0 | sort -z | cpio --null --quiet -o -H newc -R 0:0)
}
