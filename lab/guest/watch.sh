# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A guest that takes too long, or from which nothing comes any more: it is ended,
# and made to say before what it was at.

# QEMU's monitor, for us: a pipe each way.
watch_monitor()
{
	mkfifo "$work/watch.in" "$work/watch.out"
	printf '%s\n' -chardev "pipe,id=watch,path=$work/watch" \
		-mon chardev=watch,mode=control
}

# By an interrupt that can't be masked, on which the kernel panics, and shows what
# all CPUs and tasks do. So it does not go on after that.
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
		printf '%s\n' "$2, and it has no answer to an NMI" >"$work/gave-up"
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
			give_up "$pid" "nothing came from the guest for $silence s"
		fi
	done
}
