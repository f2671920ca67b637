# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Make Debian roots with trixie's own mmdebstrap, independent of the host's version.

# Check that the mirror has the packages of LIST that are from other suites.
check_suites()
{
	local package other

	while IFS=/ read -r package other; do
		[[ $(lab_apt apt-cache madison "$package") != *" $other/main "* ]] || continue
		reason "the Debian mirror has no $package in $other:" \
			"use a mirror that carries $other"
		return 1
	done < <(grep '^[^#].*/' "$1")
}

# Make a Debian root at DIR with the packages listed in FILE, as PACKAGE[/SUITE]. VARIANT is
# mmdebstrap's: extract only unpacks them, as for a machine whose programs can't run here.
bootstrap()
{
	local dir=$1 list=$2 variant=${3:-minbase} packages

	check_suites "$list" || return
	packages=$(grep -v '^#' "$list" | paste -sd,)
	rm -rf --one-file-system "$dir"
	# Copy the package lists, because a second download would take seconds. dpkg in the
	# root leaves out documents, because mmdebstrap's own option for that needs python.
	# shellcheck disable=SC2016
	TMPDIR=$build/tmp perl "$build/mmdebstrap/usr/bin/mmdebstrap" --mode=root \
		--variant="$variant" --architectures="$apt_machine" \
		--skip=check/qemu,check/empty,update \
		--include="$packages" \
		--aptopt="$apt/host.conf" \
		--dpkgopt=force-unsafe-io \
		--setup-hook="mkdir -p \"\$1/var/lib/apt/lists\" && cp -r '$apt/lists/.' \"\$1/var/lib/apt/lists/\"" \
		--setup-hook='mkdir -p "$1/etc/dpkg/dpkg.cfg.d" && printf "path-exclude=/usr/share/%s/*\n" doc man locale info >"$1/etc/dpkg/dpkg.cfg.d/lab"' \
		"$suite" "$dir" "$apt/lab.sources"
	[ "$variant" = minbase ] || return 0
	# shellcheck disable=SC2016
	sed '/^#/d;s|/.*||' "$list" |
		xargs dpkg-query --admindir="$dir/var/lib/dpkg" -W \
			-f '${Package} ${Version}\n'
}

setup_mmdebstrap()
{
	local new=$build/mmdebstrap.new

	rm -rf "$new" "$build/mmdebstrap"
	mkdir -p "$new"
	cd "$new" || return
	apt_download mmdebstrap
	dpkg -x mmdebstrap_*.deb .
	rm -f ./*.deb
	mv "$new" "$build/mmdebstrap"
}

setup_tools()
{
	bootstrap "$tools.new" "$lab/packages/tools" | tee "$build/tmp/tools.versions"
	rm -rf --one-file-system "$tools"
	mv "$tools.new" "$tools"
	mv "$build/tmp/tools.versions" "$build/versions.d/tools"
}
