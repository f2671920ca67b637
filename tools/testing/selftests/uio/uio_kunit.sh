#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Load the KUnit tests of the UIO core, print their results as flat KTAP, with one
# line for each case, and unload them.

set -euo pipefail

debug=/sys/kernel/debug
kunit=$debug/kunit
restore=()

skip()
{
	echo "1..0 # SKIP $*"
	exit 4
}

# Write VALUE to FILE until the script ends.
set_for_now()
{
	[ -w "$1" ] || return 0
	restore+=("$1 $(cat "$1")")
	echo "$2" >"$1"
}

restore_all()
{
	local line

	for line in "${restore[@]}"; do
		echo "${line#* }" >"${line%% *}"
	done
}

# failslab has to fail allocations that may wait, too. Neither a stack for each failure
# nor a message for each freed kobject goes to the console: that would take as long as
# the tests. Warnings do.
prepare()
{
	set_for_now /proc/sys/kernel/printk 6
	set_for_now "$debug/failslab/ignore-gfp-wait" N
	set_for_now "$debug/failslab/verbose" 0
	set_for_now "$debug/fail_page_alloc/verbose" 0
}

# Some kernels run the tests when they are loaded, others only on request.
run_suites()
{
	local dir

	for dir in "$kunit"/uio_lifetime*/; do
		grep -Eq '^    (not )?ok ' "$dir/results" || echo run >"$dir/run"
	done
}

# uio stays if it is not a module, or if somebody uses it.
has_to_stay()
{
	[ -e /sys/module/uio ] && [ "$(cat /sys/module/uio/refcnt 2>/dev/null)" != 0 ]
}

# Where the kernel delays the release of uio's class, uio must stay loaded until then.
unload()
{
	rmmod uio_kunit || return
	if [ -n "$stays" ]; then
		echo "uio stays loaded: somebody uses it"
	elif zgrep -qx CONFIG_DEBUG_KOBJECT_RELEASE=y /proc/config.gz 2>/dev/null; then
		echo "uio stays loaded: this kernel releases its class seconds later"
	else
		rmmod uio
	fi
}

# Make KUnit's nested results flat. Comments on a case come before its result. A case
# with parameters also has a result for each parameter.
flatten()
{
	awk "$@" '
	function result(good, name, skip) {
		body = body notes sprintf("%s %d %s%s\n", good, ++n, name, skip)
		if (good != "ok")
			failed = 1
		notes = ""
	}
	function end_suite() {
		if (suite != "" && left > 0) {
			notes = notes "# " left " cases did not run\n"
			result("not ok", suite ".all_cases_run", "")
		}
		suite = ""
	}

	/^    # Subtest: / {
		end_suite()
		suite = $3
		left = 0
		notes = ""
		next
	}
	/^    1\.\./ {
		left = substr($1, 4)
		next
	}
	/^    (not )?ok / {
		good = $1 == "ok" ? "ok" : "not ok"
		name = good == "ok" ? $3 : $4
		skip = match($0, / # SKIP.*/) ? substr($0, RSTART) : ""
		# of a case with parameters, only the results of the parameters say why
		if (skip ~ /SKIP *$/)
			skip = why
		why = ""
		result(good, suite "." name, skip)
		left--
		next
	}
	# the init of the whole suite has failed
	/^not ok / && left > 0 && suite != "" {
		end_suite()
		next
	}
	/^[^ ]/ || /# (Subtest|module):/ || /KTAP version/ || /\.speed: / ||
		/# .*: pass:[0-9]+ fail:/ || /^ *1\.\./ || /^ *$/ {
		next
	}
	/^        ok / && !/# SKIP/ {
		next
	}
	/^        ok / && match($0, / # SKIP.*/) {
		why = substr($0, RSTART)
	}
	{
		sub(/^ +(# )?/, "")
		notes = notes "# " $0 "\n"
	}

	END {
		end_suite()
		notes = note == "" ? "" : "# " note "\n"
		result(unloaded == 0 ? "ok" : "not ok", "uio_lifetime.modules_unload", "")
		printf "KTAP version 1\n1..%d\n%s", n, body
		exit failed
	}'
}

modinfo uio_kunit >/dev/null 2>&1 || skip "there is no module uio_kunit"
[ -d "$kunit" ] || skip "the kernel has no KUnit, or no debugfs is mounted"

trap restore_all EXIT
prepare
stays=$(! has_to_stay || echo yes)
modprobe uio_kunit
compgen -G "$kunit/uio_lifetime*" >/dev/null || {
	rmmod uio_kunit
	skip "KUnit is off; kunit.enable=1 turns it on"
}

run_suites
results=$(cat "$kunit"/uio_lifetime*/results)
unloaded=0
note=$(unload 2>&1) || unloaded=$?
flatten -v unloaded="$unloaded" -v note="$note" <<<"$results"
