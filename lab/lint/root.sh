# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The lint root: a second Debian root, with tools that check sources and make documents. It
# is downloaded when it is first needed.

lint_root=$build/lint

in_lint()
{
	run_contained "$lab/core/inside" enter "$lint_root" "$@"
}

lint_done()
{
	done_already lint && [ -e "$lint_root/usr/bin" ]
}

setup_lint()
{
	bootstrap "$lint_root.new" "$lab/packages/lint" | tee "$build/tmp/lint.versions"
	rm -rf "$lint_root.new"/var/cache/apt/* "$lint_root.new"/var/lib/apt/lists/*
	rm -rf --one-file-system "$lint_root"
	mv "$lint_root.new" "$lint_root"
	mv "$build/tmp/lint.versions" "$build/versions.d/lint"
}

make_lint_root()
{
	mkdir -p "$build/tmp"
	say "setting up the lint tools (once, a minute or more)"
	check_space 1024
	download_step lint
	cat "$build"/versions.d/* >"$build/versions"
}

# The lock is its own, so that guests can run meanwhile.
setup_lint_root()
{
	setup_base
	once "$build/lint.lock" lint_done make_lint_root
}
