# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# More Debian roots, which are downloaded when they are first needed. The root build/NAME has the
# packages in lab/packages/NAME. NAME is
#
#   lint        tools that check sources and make documents
#   languages   compilers for the samples in Rust and Go

in_extra()
{
	run_contained "$lab/core/inside" enter "$build/$1" "${@:2}"
}

extra_done()
{
	done_already "$1" && [ -e "$build/$1/usr/bin" ]
}

setup_extra()
{
	local name=$1 root=$build/$1

	bootstrap "$root.new" "$lab/packages/$name" | tee "$build/tmp/$name.versions"
	rm -rf "$root.new"/var/cache/apt/* "$root.new"/var/lib/apt/lists/*
	rm -rf --one-file-system "$root"
	mv "$root.new" "$root"
	mv "$build/tmp/$name.versions" "$build/versions.d/$name"
}

make_extra()
{
	mkdir -p "$build/tmp"
	say "setting up the $(describe "$1"), once, a minute or more"
	check_space 2048
	download_step "$1"
	cat "$build"/versions.d/* >"$build/versions"
}

# The lock is its own, so that guests can run meanwhile.
setup_extra_root()
{
	setup_base
	once "$build/$1.lock" extra_done make_extra "$1"
}
