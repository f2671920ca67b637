# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the report shows: events of the variable side, made readable.

# The value of EVENT.KEY.
of()
{
	echo "${ev[$side.$1]--}"
}

number()
{
	local value=${ev[$side.$1]-0}

	[[ $value =~ ^-?[0-9]+$ ]] || value=0
	echo "$value"
}

# Has the run come as far as EVENT? If not, its cell says so.
have()
{
	[ -n "${ev[$side.$1]-}" ] || {
		echo -
		return 1
	}
}

# Values that come from two events.
derive()
{
	local got

	ev[$side.released.files]=$(($(number free.files) - $(number held.files)))
	ev[$side.released.devices]=$(($(number free.devices) - $(number held.devices)))
	ev[$side.dropped.uses]=$(($(number held.tcmu) - $(number free.tcmu)))
	ev[$side.holder.alone]=no
	[[ ! $(user_names held) =~ ^holder\[[0-9]+\]$ ]] || ev[$side.holder.alone]=yes
	ev[$side.daemon.same]=no
	[ "$(of start.daemon)" != "$(of end.daemon)" ] || ev[$side.daemon.same]=yes
	ev[$side.served.always]=yes
	for got in delete held free; do
		[ "$(number "fio_b.$got")" -gt 0 ] || ev[$side.served.always]=no
	done
}

# Nanoseconds as milliseconds.
ms()
{
	printf '%d.%d ms' $(($1 / 1000000)) $(($1 / 100000 % 10))
}

mib()
{
	printf '%d.%d MiB' $(($1 / 1048576)) $(($1 % 1048576 * 10 / 1048576))
}

sleepers_cell()
{
	have block || return 0
	echo "$(of block.read), $(of block.poll)"
}

rmdir_cell()
{
	local got

	have delete || return 0
	got=$(of delete.got)
	[ "$got" != ok ] || got=$(ms $(($(number delete.end) - $(number delete.t))))
	echo "$got"
}

got_at()
{
	local got

	have "$1" || return 0
	got=$(of "$1.got")
	# 0x18|ERR|HUP
	[[ $got != *'|'* ]] || got="${got#*|} (${got%%|*})"
	got+=" at $(ms $(($(number "$1.t") - $(number delete.t))))"
	echo "$got"
}

present_cell()
{
	have present || return 0
	case $(of present.got),$(of present.content) in
	data,same) echo "data, as before" ;;
	data,*) echo "data, not as before" ;;
	*) of present.got ;;
	esac
}

absent_cell()
{
	have absent || return 0
	case $(of absent.got),$(of absent.content),$(of absent.after) in
	data,same,1) echo "zeros; the page gets mapped" ;;
	data,other,1) echo "data; the page gets mapped" ;;
	data,*) echo "data; nothing gets mapped" ;;
	*) of absent.got ;;
	esac
}

# NAME[PID]:FDS:MAPS:RSS_KIB,...
user_names()
{
	have "$1" || return 0
	of "$1.users" | sed 's/:[^,]*//g; s/,/, /g'
}

user_parts()
{
	local name fds maps rss out=''

	have "$1" || return 0
	while IFS=: read -r name fds maps rss; do
		[ -n "$rss" ] || continue
		out+="${out:+; }fd $fds, $maps mapping, $rss KiB present"
	done < <(of "$1.users" | tr ',' '\n')
	echo "${out:--}"
}

ring_cell()
{
	local ring

	have "$1" || return 0
	ring=$(number "$1.ring")
	if [ "$ring" -eq 0 ]; then
		echo freed
	else
		echo "$(mib "$ring") held"
	fi
}

close_cell()
{
	have close || return 0
	case $(number munmap.ring),$(number close.ring) in
	0,0) echo "freed before" ;;
	*,0) echo "freed $(ms $(($(number close.gone) - $(number close.t)))) later" ;;
	*) ring_cell close ;;
	esac
}

memory_cell()
{
	have unload || return 0
	echo "$(mib $(($(number held.kib) * 1024))), $(mib $(($(number free.kib) * 1024)))," \
		"$(mib $(($(number unload.kib) * 1024)))"
}

release_cell()
{
	have free || return 0
	case $(number released.files) in
	0) echo "never called" ;;
	1) echo called ;;
	*) echo "called $(number released.files) times" ;;
	esac
}

freed_cell()
{
	have free || return 0
	case $(number released.devices) in
	1) echo yes ;;
	*) echo no ;;
	esac
}

uses_cell()
{
	have free || return 0
	echo "$(of live.tcmu), $(of held.tcmu), $(of free.tcmu)"
}

daemon_cell()
{
	have end || return 0
	case $(of daemon.same) in
	yes) echo "alive, PID $(of end.daemon) as before" ;;
	*) echo "PID $(of start.daemon), at the end $(of end.daemon)" ;;
	esac
}

verify_cell()
{
	have "$1" || return 0
	echo "$(of "$1.verified") blocks, $(of "$1.error") errors"
}

served_cell()
{
	have fio_b || return 0
	echo "$(of fio_b.delete), $(of fio_b.held), $(of fio_b.free)"
}

unload_cell()
{
	have unload || return 0
	case $(of unload.status),$(of unload.left) in
	0,) echo "both gone after $(of unload.ms) ms" ;;
	*) echo "status $(of unload.status), left: $(of unload.left)" ;;
	esac
}
