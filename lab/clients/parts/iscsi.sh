# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The results of iscsi-test-cu are compared with those of the other side. Many of its tests
# fail because of the target and the handler, with any UIO.

description="libiscsi's iscsi-test-cu on a LUN of tcmu-runner, over LIO's iSCSI on lo"
clients=(iscsi)
guest=(--timeout 1500)
needs=(target_core_user iscsi_target_mod)
tests=(starts runs_through modules_unload)
compared=1
# shellcheck source=../shared/lun.sh
. "${BASH_SOURCE[0]%/*}/../shared/lun.sh"
iqn=iqn.2026-11.org.example:clients
url=iscsi://127.0.0.1/$iqn/0
portal=/sys/kernel/config/target/iscsi/$iqn/tpgt_1

# Make a target without authentication.
test_starts()
{
	local setting

	ip link set lo up
	disk_up
	modprobe iscsi_target_mod
	mkdir -p "$portal/np/127.0.0.1:3260" "$portal/lun/lun_0"
	for setting in authentication=0 generate_node_acls=1 cache_dynamic_acls=1 \
		demo_mode_write_protect=0; do
		echo "${setting#*=}" >"$portal/attrib/${setting%=*}"
	done
	ln -s "$(backstore_dir disk)" "$portal/lun/lun_0/disk"
	echo 1 >"$portal/enable"
	iscsi-inq "$url"
}

# Print "SUITE.TEST passed" or "FAILED", and how many parts of the test were skipped.
results()
{
	awk '
		/^Suite: / { suite = $2 }
		/^ *Test: / { test = suite "." $2 }
		/\[SKIPPED\]/ { skipped[test]++ }
		match($0, /^passed|^FAILED|\.\.\.(passed|FAILED)/) {
			word = substr($0, RSTART, RLENGTH)
			sub(/^\.*/, "", word)
			print test, word, (test in skipped) ? "left out " skipped[test] : ""
		}' "$1"
}

test_runs_through()
{
	local said=$out/iscsi-test-cu ran found

	iscsi-test-cu -d -t ALL "$url" >"$said" 2>&1 || :
	tail -n 8 "$said"
	results "$said" >"$facts"
	ran=$(sed -n 's/^ *tests *\([0-9]*\) .*/\1/p' "$said")
	found=$(wc -l <"$facts")
	[ "$ran" = "$found" ] || fail "of ${ran:-no} tests $found came to an end"
	awk '{ n[$2]++ } END { print n["passed"] " passed, " n["FAILED"] " failed" }' "$facts" |
		tee "$total"
}

test_modules_unload()
{
	echo 0 >"$portal/enable"
	rm "$portal/lun/lun_0/disk"
	rmdir "$portal/lun/lun_0" "$portal/np"/* "$portal" "${portal%/*}" "$config/iscsi"
	disk_down
}
