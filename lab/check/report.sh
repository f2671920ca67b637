# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What a job has found, as records (see found.awk) and as KTAP.

# shellcheck source=../core/ktap.sh
. "$lab/core/ktap.sh"

# For a test with a guest of its own: what the kernel has to say counts, too.
found_alone()
{
	local dir=$1 record splat status

	splat=$(awk -f "$lab/check/splat.awk" "$dir/guest/console.log" 2>/dev/null) || :
	status=$(cat "$dir/status")
	record=$(awk -f "$lab/check/found.awk" "$dir/todo" "$dir/output")
	if [ -z "$splat" ] && [ "$status" = 255 ]; then
		splat='the kernel hangs'
	fi
	awk -v splat="$splat" 'BEGIN { FS = OFS = "\t" }
		/^\t/ || splat == "" { print; next }
		{
			$4 = $3 == "report" ? $4 : "bad"
			$5 = splat
			print
		}' <<<"$record"
}

# Write DIR/found.
find_results()
{
	local dir=$1 kind=$2 sub

	if [ "$kind" = alone ]; then
		for sub in $(cd "$dir" && printf '%s\n' [0-9]* | sort -n); do
			found_alone "$dir/$sub"
		done
	else
		awk -f "$lab/check/found.awk" "$dir/todo" "$dir/output"
	fi >"$dir/found"
}

# Why a job failed as a whole, as KTAP comments; nothing if it did not.
job_trouble()
{
	local dir=$1 kind=$2 status

	[ "$kind" != alone ] || return 0
	status=$(cat "$dir/status")
	if [ "$kind" = guest ] && [ "$status" -ne 0 ]; then
		printf '    # the guest failed, status %s\n' "$status"
		sed 's/^/    # /' "$dir/log"
	elif [ "$kind" = host ] && [ "$status" -gt 1 ]; then
		printf '    # it failed, status %s\n' "$status"
		sed 's/^/    # /' "$dir/log"
	fi
}

# What a job took, and what of that its children took of the CPUs.
job_time()
{
	local dir=$1

	printf '%s s, ' "$(cat "$dir/seconds")"
	awk -F '[ms ]+' 'NR == 2 {
		printf "%d s of CPU", ($1 + $3) * 60 + $2 + $4
	}' "$dir/times"
}

failed_jobs=()

# Print a job's result, add it to $tap and to the sums.
report_job()
{
	local name=$1 kind=$2 modules=$4 dir=$results/$1 bad trouble p f s good=ok line

	find_results "$dir" "$kind"
	bad=$(awk -v modules="$modules" -v kind="$kind" -v full="$dir/full" \
		-v counts="$dir/counts" -f "$lab/check/judge.awk" "$dir/found")
	read -r p f s <"$dir/counts"
	trouble=$(job_trouble "$dir" "$kind")
	[ -z "$trouble" ] || f=$((f + 1))
	[ "$f" -eq 0 ] || { good='not ok'; failed_jobs+=("$name"); }

	number=$((number + 1))
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	printf '%s\n' "$trouble" "$bad" | grep . || :
	line="$good $number $name # $p passed, $f failed, $s skipped, $(job_time "$dir")"
	{ cat "$dir/full"; printf '%s\n' "$trouble" "$line" | grep .; } >>"$tap"
	echo "$line"
}
