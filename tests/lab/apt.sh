# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Debian packages without installing them: a private apt state for a release and an
# architecture. Sourced by kernels.sh and sysroot.sh after common.sh; runs nothing.

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# The URI of the Debian archive in the host's apt configuration. Security and
# third-party archives have another label or origin and are passed over.
mirror_uri() {
	local uri
	if [ -n "${LOCKTRACE_MIRROR:-}" ]; then
		echo "$LOCKTRACE_MIRROR"
		return
	fi
	# Label and origin are empty until the host has run "apt-get update".
	# shellcheck disable=SC2016 # the fields are for apt
	uri=$(apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(LABEL)' |
		awk -F'|' '$2 !~ /-security/ && $3 == "main" && $4 == "Debian" { print $1; exit }')
	[ -n "$uri" ] || uri=$(sources_uri)
	[ -n "$uri" ] || die "no Debian archive in this host's apt sources; set LOCKTRACE_MIRROR to its URI"
	echo "$uri"
}

# The same from the source lists themselves, for a host without package lists.
sources_uri() {
	local files=()
	local file
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources}; do
		[ ! -r "$file" ] || files+=("$file")
	done
	[ ${#files[@]} -gt 0 ] || return 0
	grep -hoE '^(deb .*|URIs: *)https?://[^ ]+/debian/?( |$)' "${files[@]}" |
		grep -oE 'https?://[^ ]+' | head -n 1 || true
}

# write_apt_state DIRECTORY RELEASE ARCH[,ARCH...]: a private apt state: own lists and
# cache, nothing installed. The host's configuration is still read (proxies), its hooks
# are not. Packages are those of the first architecture, unless they say another.
write_apt_state() {
	local apt_dir=$1 release=$2 arches=$3 uri
	uri=$(mirror_uri)
	mkdir -p "$apt_dir/lists/partial" "$apt_dir/archives/partial" "$apt_dir/empty"
	echo "deb [arch=$arches signed-by=$KEYRING] $uri $release main" >"$apt_dir/sources.list"
	cat >"$apt_dir/apt.conf" <<-END
	#clear APT::Update::Pre-Invoke;
	#clear APT::Update::Post-Invoke;
	#clear APT::Update::Post-Invoke-Success;
	#clear APT::Default-Release;
	Dir::State "$apt_dir";
	Dir::State::Lists "$apt_dir/lists";
	Dir::State::status "/dev/null";
	Dir::Cache "$apt_dir";
	Dir::Cache::archives "$apt_dir/archives";
	Dir::Etc::SourceList "$apt_dir/sources.list";
	Dir::Etc::SourceParts "$apt_dir/empty";
	Dir::Etc::Preferences "/dev/null";
	Dir::Etc::PreferencesParts "$apt_dir/empty";
	APT::Architecture "${arches%%,*}";
	APT::Architectures { "${arches//,/\"; \"}"; };
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	Acquire::Retries "3";
	END
}

# read_index DIRECTORY RELEASE ARCH[,ARCH...]: the package index into that state; the
# caller has the lock of it. Prints the configuration's name.
read_index() {
	local apt_dir=$1 release=$2 arches=$3
	need_tool apt-get dpkg
	[ -r "$KEYRING" ] || die "$KEYRING is missing: install debian-archive-keyring"
	write_apt_state "$apt_dir" "$release" "$arches"
	note "reading the package index of $release for $arches"
	apt-get -q -c "$apt_dir/apt.conf" update >&2 || die "apt-get update failed for $release (see above)"
	echo "$apt_dir/apt.conf"
}

# package_version CONF PACKAGE: the version that would be fetched, "" for none.
package_version() {
	apt-cache -c "$1" policy "$2" | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# unpack_packages CONF SCRATCH TARGET PACKAGE...: download into SCRATCH, unpack into TARGET.
unpack_packages() {
	local conf=$1 scratch=$2 target=$3 deb
	shift 3
	note "fetching $*"
	mkdir -p "$scratch" "$target"
	(cd "$scratch" && apt-get -q -c "$conf" download "$@" >&2) ||
		die "apt-get could not download the packages (see above)"
	for deb in "$scratch"/*.deb; do
		dpkg -x "$deb" "$target"
	done
}
