# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Mutations: patches in mutations/, each of which is a bug. The program has to find it.

# Print the names of the mutations in a directory.
mutation_names()
{
	local patch

	for patch in $(patches_in "$1"); do
		basename "$patch" .patch
	done
}

# Compile uio.ko and target_core_user.ko with the bug. Without modules.order, depmod and the
# like: the guest replaces the files only.
build_mutant()
{
	local patch=$1 new=$build/tmp/mutant.$$ dir

	rm -rf "$new"
	mkdir -p "$new/drivers"
	cp -r "$top/drivers/uio" "$new/drivers/"
	stage_patched "$kernel" "$new/drivers"
	apply_patch "$new" "$patch" >&2 ||
		die "$(short "$patch") does not apply: adapt it to our drivers"
	for dir in include compat; do
		mirror "$top/$dir" "$mutant/$dir"
	done
	for dir in uio target; do
		mirror "$new/drivers/$dir" "$mutant/drivers/$dir"
	done
	rm -rf "$new"
	make_modules "$kernel" "$mutant" NOSTDINC_FLAGS="-nostdinc $(our_headers "$mutant")"
}

# Print after how many seconds the run in DIR has failed. If the kernel has panicked, only its
# log knows.
seconds_in()
{
	local seconds

	seconds=$(figures_in "$1" | sed 's/.* in \([0-9.]*\) s.*/\1/')
	[ -n "$seconds" ] || seconds=$(awk -F '[][]' '
		/chaos begins/ { begin = $2 }
		/Kernel panic/ { printf "%.1f", $2 - begin; exit }' "$1/guest/console.log")
	printf '%s' "${seconds:-?}"
}

run_mutation()
{
	local name=$1 dir=$results/mutations/$1 patch=$lab/chaos/mutations/$1.patch wanted
	local -a args

	rm -rf "$dir"
	build_mutant "$patch"
	use_program uio_chaos
	! grep -q '^+++ b/drivers/target/' "$patch" || use_program tcmu_chaos
	program_args fixed
	copies=(--copy "$mutant/drivers/uio/uio.ko"
		--copy "$mutant/drivers/target/target_core_user.ko")
	run_guest "$dir" "${args[@]}"
	progress "$name: ${why:-passed}"
	wanted=$(sed -n 's/^Found by: //p' "$patch")
	if [ "$status" -ne 0 ] && grep -qE "$wanted" <<<"$why"; then
		ktap_result ok "$name" "after $(seconds_in "$dir") s: $why"
	else
		ktap_line "# $name: ${why:-the run passed}, in place of '$wanted'"
		ktap_result 'not ok' "$name"
	fi
}

run_mutations()
{
	local word mutant=$build/modules-$kernel-mutant

	rm -rf "$mutant"
	ktap_plan "${#words[@]}"
	for word in "${words[@]}"; do
		run_mutation "$word"
	done
	ktap_end
}
