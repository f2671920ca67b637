# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# End a guest that runs too long or has become silent. Before that, make it print where its
# tasks are.

# Options for a monitor of QEMU that the lab uses: one pipe in each direction.
watch_monitor()
{
	mkfifo "$work/watch.in" "$work/watch.out"
	printf '%s\n' -chardev "pipe,id=watch,path=$work/watch" \
		-mon chardev=watch,mode=control
}

# Send an NMI. The kernel panics, and prints what all CPUs and tasks do.
make_it_panic()
{
	local fd

	exec {fd}<>"$work/watch.in"
	printf '{"execute": "%s"}\n' qmp_capabilities inject-nmi >&"$fd"
	exec {fd}>&-
}

is_gone()
{
	! kill -0 "$1" 2>/dev/null
}

give_up()
{
	local pid=$1 end=$((SECONDS + 60))

	printf '%s\n' "$2" >"$work/gave-up"
	make_it_panic
	until is_gone "$pid" || [ "$SECONDS" -ge "$end" ]; do
		sleep 1
	done
	is_gone "$pid" || {
		printf '%s\n' "$2, and it did not react to an NMI" >"$work/gave-up"
		kill -KILL "$pid"
	}
}

watch()
{
	local pid=$1 now last='' since=$SECONDS started=$SECONDS

	until is_gone "$pid"; do
		sleep 1
		now=$(stat -c %s "$work/output" "$work/console.log" "$work/control") || return
		if [ "$now" != "$last" ]; then
			last=$now since=$SECONDS
		fi
		if [ $((SECONDS - started)) -ge "$timeout" ]; then
			give_up "$pid" "the guest was still running after $timeout s"
		elif [ -n "$silence" ] && [ $((SECONDS - since)) -ge "$silence" ]; then
			give_up "$pid" "the guest has printed nothing for $silence s"
		fi
	done
}
