# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# One guest: its options, its disks, QEMU, and the verdict.

guest_options()
{
	kernel=${kernels[0]} modules=ours mem='' smp='' timeout='' copies=() results=''
	devices=() allow_splat='' leak_check=1 kmemleak=1 icount='' silence='' disk=''
	[ "$verb" = shell ] || timeout=300
	while [ $# -gt 0 ]; do
		case $1 in
		--kernel | --modules | --mem | --smp | --timeout | --silence | --device | \
			--copy | --results | --disk)
			[ $# -ge 2 ] || usage_error "$1 needs a value"
			case $1 in
			--copy) copies+=("$2") ;;
			--device) devices+=("$2") ;;
			*) printf -v "${1#--}" '%s' "$2" ;;
			esac
			shift 2 ;;
		--allow-splat) allow_splat=1; shift ;;
		--icount) icount=1; shift ;;
		--no-leak-check) leak_check=''; shift ;;
		--no-kmemleak) leak_check='' kmemleak=''; shift ;;
		--) shift; break ;;
		-*) usage_error "unknown option '$1': see uio-lab help" ;;
		*) break ;;
		esac
	done
	command=("$@")
}

# A file, with modules in a directory, and not one of the lab's.
is_own()
{
	[[ $1 = */* ]]
}

# Sets own_modules to the directory below lib/modules, unless they are on the disk.
check_own_kernel()
{
	local dirs=("$modules"/lib/modules/*/modules.dep)

	# what a boot loader looks at
	[ "$(dd if="$kernel" bs=1 skip=514 count=4 status=none 2>/dev/null)" = HdrS ] ||
		usage_error "--kernel: '$kernel' is no bzImage"
	if [ -n "$disk" ]; then
		modules=installed own_modules=''
		return
	fi
	[ ! -e "$modules/modules.dep" ] || dirs=("$modules/modules.dep")
	if [ "${#dirs[@]}" -ne 1 ] || [ ! -e "${dirs[0]}" ]; then
		usage_error "--modules: '$modules' has no modules.dep: run make modules_install"
	fi
	own_modules=${dirs[0]%/*}
}

check_guest_options()
{
	local file name device seen=/

	if [ -n "$disk" ]; then
		[[ $disk = "$build"/*.qcow2 && -w $disk ]] ||
			usage_error "--disk must be a .qcow2 below $(short "$build"), not '$disk'"
		is_own "$kernel" || usage_error "--disk goes with --kernel BZIMAGE only"
	fi
	if is_own "$kernel"; then
		check_own_kernel
	else
		check_kernel "$kernel"
		case $modules in
		ours | mainline) ;;
		*) usage_error "--modules must be 'ours' or 'mainline', not '$modules'" ;;
		esac
	fi
	# KASAN takes an eighth, and holds back what is freed.
	if [ -z "$mem" ]; then
		mem=512M
		! is_debug "$kernel" && ! is_own "$kernel" || mem=1G
	fi
	# what counts instructions is one thread
	[ -n "$smp" ] || smp=$((icount ? 1 : 2))
	[ -z "$icount" ] || [ "$smp" = 1 ] ||
		usage_error "--icount goes with --smp 1 only, not '$smp'"
	[[ $mem =~ ^[1-9][0-9]*[MG]$ ]] ||
		usage_error "--mem must be as 512M or 2G, not '$mem'"
	[[ $smp =~ ^[1-9][0-9]{0,2}$ ]] ||
		usage_error "--smp must be a number of CPUs, not '$smp'"
	[[ -z $timeout && $verb = shell || $timeout =~ ^[1-9][0-9]{0,6}$ ]] ||
		usage_error "--timeout must be a number of seconds, not '$timeout'"
	[[ -z $silence || $verb = run && $silence =~ ^[1-9][0-9]{0,6}$ ]] ||
		usage_error "--silence must be a number of seconds, and is for run, not '$silence'"
	for device in "${devices[@]}"; do
		[[ $device =~ ^[A-Za-z0-9][A-Za-z0-9_.-]*(,[A-Za-z0-9_.-]+=[^,[:space:]]+)*$ ]] ||
			usage_error "--device must be as DRIVER[,NAME=VALUE]..., not '$device'"
	done
	for file in "${copies[@]}"; do
		[ -r "$file" ] || usage_error "--copy: there is no file '$file'"
		name=$(basename "$file")
		case $seen in
		*"/$name/"*) usage_error "--copy: two files have the name '$name'" ;;
		esac
		case $name in
		out | bin | kernel | modules | .lab | . | .. | /)
			usage_error "--copy: the name '$name' is taken in the guest's /lab" ;;
		esac
		seen+="$name/"
	done
	if [ "$verb" = run ]; then
		[ "${#command[@]}" -gt 0 ] ||
			usage_error "run: no command given: uio-lab run [OPTION]... -- CMD [ARG]..."
	else
		[ "${#command[@]}" -eq 0 ] || usage_error "shell takes no command; use run"
		[ -t 0 ] || usage_error "shell needs a terminal; use run"
	fi
}

# What the guest unpacks to /lab: bin/, .lab/, modules/, and the copied files.
pack_input()
{
	local stage=$work/lab rows=24 cols=80 built file

	mkdir -p "$stage/.lab"
	cp -r "$lab/guest" "$stage/bin"
	cp "$top/tools/testing/selftests/uio/tcmu/tcmu-start" "$stage/bin/"
	if [ "$verb" = shell ]; then
		read -r rows cols < <(stty size)
		printf 'exec bash -i\n' >"$stage/.lab/command"
	else
		printf 'exec %s\n' "${command[*]@Q}" >"$stage/.lab/command"
	fi
	cat >"$stage/.lab/settings" <<-EOF
		LAB_VERB=$verb LAB_LEAK_CHECK=$leak_check LAB_DISK=$disk
		LAB_ROWS=$rows LAB_COLS=$cols LAB_TERM=${TERM:-dumb}
		export UIO_LAB_MODULES=$modules UIO_LAB_KERNEL=$kernel
		${devices[0]:+export UIO_LAB_MONITOR=/dev/ttyS3}
	EOF

	# The root image has the modules of the other kernels.
	if is_own "$kernel"; then
		cp "$kernel" "$work/bzImage"
		[ -z "$own_modules" ] || cp -r "$own_modules" "$stage/kernel"
		rm -rf "$stage/kernel"/{build,source}
	fi
	! is_compiled "$kernel" ||
		cp -r "$(kernel_dir "$kernel")/image/usr/lib/modules/$(kernel_abi "$kernel")" \
			"$stage/kernel"
	built=$build/modules-$kernel/$modules
	if [ -d "$built" ]; then
		lock shared "$build/modules-$kernel.lock"
		cp -r "$built" "$stage/modules"
		exec {locked}>&-
	elif [ "$modules" = ours ] && ! is_own "$kernel"; then
		die "our modules are not built: run $(short "$self") build --kernel $kernel"
	fi
	for file in "${copies[@]}"; do
		cp -rL "$file" "$stage/"
	done
	tar -cf "$work/in.tar" --owner=0 --group=0 -C "$stage" .
	rm -rf "$stage"
	truncate -s 8G "$work/out.tar"
}

guest_cleanup()
{
	kill_children
	[ -z "${terminal-}" ] || stty "$terminal" || :
	keep_logs
	rm -rf "$work"
}

# The logs are written below build/, which is all that QEMU can see.
keep_logs()
{
	if [ -e "$work/console.log" ]; then
		mkdir -p "$results"
		tr -d '\r' <"$work/console.log" >"$results/console.log"
		rm "$work/console.log"
		[ "$verb" = shell ] || mv "$work/output" "$results/output"
	fi
}

disk()
{
	printf '%s\n' -drive "file=$1,format=raw,if=none,id=$2,$3" \
		-device "virtio-blk-pci,drive=$2,serial=$2"
}

# QEMU's monitor on the guest's fourth serial port, for lab-monitor: what the one
# writes the other reads. Pipes, since the path of a socket has to be short.
monitor()
{
	mkfifo "$work/monitor.in" "$work/monitor.out"
	ln -s monitor.out "$work/port.in"
	ln -s monitor.in "$work/port.out"
	printf '%s\n' -chardev "pipe,id=monitor,path=$work/monitor" \
		-mon chardev=monitor,mode=control \
		-chardev "pipe,id=port,path=$work/port" -serial chardev:port
}

kernel_parameters()
{
	local khz

	khz=$(cat "$build/tsc-khz")
	# Where instructions are counted, each takes a nanosecond of guest time.
	[ -z "$icount" ] || khz=1000000
	parameters=(console=ttyS0 loglevel=5 root=/dev/nvme0n1 rw
		rootflags=noinit_itable init=/sbin/lab-init mitigations=off
		tsc=reliable "tsc_early_khz=$khz" panic=-1 oops=panic
		unknown_nmi_panic panic_print=0x41)
	is_debug "$kernel" || return 0
	# Slab checks switch off the per-CPU sheaves. Kmemleak would take pointers that
	# are left there for references, and find no leak of slab memory. KUnit is off
	# in such a configuration. With five levels of page tables KASAN takes addresses
	# for wild ones while the boot CPU is identified, if an interrupt comes then.
	parameters+=(slab_debug=F kunit.enable=1 no5lvl)
	[ -n "$kmemleak" ] || parameters+=(kmemleak=off)
}

guest_image()
{
	if is_own "$kernel"; then
		printf '%s' "$work/bzImage"
	else
		kernel_image "$kernel"
	fi
}

qemu_command()
{
	local parameters device accel root="file=$build/root.ext4,format=raw,snapshot=on"

	kernel_parameters
	[ -z "$disk" ] || root="file=$disk,format=qcow2"
	accel=(-accel "$(cat "$build/accel")")
	[ -z "$icount" ] || accel=(-accel "tcg,thread=single" -icount shift=0)
	qemu=(qemu-system-x86_64 -M q35 "${accel[@]}"
		-cpu max -smp "$smp" -m "$mem" -nodefaults -no-user-config
		-display none -no-reboot -nic none
		-kernel "$(guest_image)"
		-append "${parameters[*]}"
		-drive "$root,if=none,id=root"
		-device "nvme,drive=root,serial=lab-root"
		-chardev "file,id=console,path=$work/console.log" -serial chardev:console)
	if [ "$verb" = shell ]; then
		qemu+=(-chardev "stdio,id=command,signal=off")
	else
		qemu+=(-chardev "file,id=command,path=$work/output")
	fi
	qemu+=(-serial chardev:command
		-chardev "file,id=control,path=$work/control" -serial chardev:control)
	mapfile -t -O "${#qemu[@]}" qemu < <(
		disk "$work/in.tar" lab-in readonly=on
		disk "$work/out.tar" lab-out cache=unsafe
		watch_monitor
		[ "${#devices[@]}" -eq 0 ] || monitor)
	for device in "${devices[@]}"; do
		qemu+=(-device "$device")
	done
}

# Boot, show the command's output while it comes, wait. The output goes through a
# file: whatever reads ours can then be as slow as it likes, or gone.
boot()
{
	local pid status=0

	touch "$work/console.log" "$work/control" "$work/output"
	LAB_TMP=$work
	export LAB_TMP
	if [ "$verb" = shell ]; then
		say "guest with ${modules/mainline/mainline\'s} modules; exit or Ctrl-D leaves it"
		contained "$self" _enter "$tools" "${qemu[@]}" <&0 2>"$work/qemu.log" &
	else
		contained "$self" _enter "$tools" "${qemu[@]}" </dev/null >"$work/qemu.log" 2>&1 &
	fi
	pid=$!
	children=("$pid")
	if [ "$verb" = run ]; then
		setpriv --pdeathsig KILL \
			tail -q -c +1 -s 0.1 -f --pid="$pid" "$work/output" 2>/dev/null &
		children+=("$!")
		watch "$pid" &
		children+=("$!")
	fi
	wait "$pid" 2>/dev/null || status=$?
	if [ "$verb" = run ]; then
		kill "${children[2]}" 2>/dev/null || :
		wait "${children[@]:1}" || :
	fi
	children=()
	qemu_status=$status
}

fetch_out()
{
	! grep -q '^out-failed' "$work/control" ||
		say "the guest could not hand back all of /lab/out"
	# 8 GB that nobody has written to take a while to look through
	[ "$(du -k "$work/out.tar" | cut -f 1)" -gt 0 ] || return 0
	mkdir -p "$results/out"
	tar -xf "$work/out.tar" -C "$results/out" --no-same-owner ||
		say "what there is of the guest's /lab/out is not whole"
}

# Sets the exit status of the verb from what the guest left.
verdict()
{
	local bad='' patterns=$work/splats

	verdict=$(sed -n 's/^status \([0-9]*\).*/\1/p' "$work/control")
	grep -Ev '^(#|$)' "$top/tools/testing/selftests/uio/tcmu/splats" >"$patterns"
	if grep -Eqf "$patterns" "$results/console.log"; then
		grep -Ef "$patterns" -A 40 "$results/console.log" >"$results/splats.txt"
	fi

	if [ -s "$work/gave-up" ]; then
		bad=$(cat "$work/gave-up")
	elif [ -z "$verdict" ] && [ "$qemu_status" -ne 0 ]; then
		bad="QEMU failed: $(tail -n 1 "$work/qemu.log")"
	elif ! grep -q '^run' "$work/control" && is_own "$kernel"; then
		bad="the kernel does not come up: tools/testing/uio-lab/README has what it needs"
	elif [ -z "$verdict" ]; then
		bad="the guest died"
	elif [ -s "$results/splats.txt" ] && [ -z "$allow_splat" ]; then
		bad="the guest's log has a splat"
	fi
	[ -n "$bad" ] || return 0
	verdict=255
	if [ -s "$results/splats.txt" ]; then
		head -n 42 "$results/splats.txt" >&2
	else
		tail -n 20 "$results/console.log" >&2
	fi
	printf 'uio-lab: %s (log: %s)\n' "$bad" "$(short "$results/console.log")" >&2
}

guest_verb()
{
	verb=$1
	shift
	guest_options "$@"
	check_guest_options
	if is_own "$kernel"; then setup; else setup "$kernel"; fi

	results=$(realpath -m "${results:-$top/results/run/$(date +%Y%m%d-%H%M%S)-$$}")
	mkdir -p "$results" 2>/dev/null || die "cannot write to the results directory $results"
	rm -rf "$results/out" "$results/splats.txt"
	remove_stale guest
	work=$build/tmp/guest.$$
	mkdir -p "$work"
	[ ! -t 0 ] || [ "$verb" = run ] || terminal=$(stty -g)
	trap guest_cleanup EXIT

	pack_input
	qemu_command
	boot
	keep_logs
	fetch_out
	verdict
	exit "$verdict"
}
