# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A guest: its options, its disks, QEMU, and the verdict.

guest_options=(kernel= machine= modules= mem= smp= timeout= copy+ device+ disk= results=
	allow-splat icount no-leak-check no-kmemleak)

set_defaults()
{
	kernel=${kernel:-${kernels[0]}}
	[ "$machine" != armhf ] || machine=armmp	# the kernel of Debian's armhf
	[ -z "$machine" ] || [[ $machine = amd64 || $kernel = *-"$machine" ]] || kernel+=-$machine
	machine=$(machine_of "$kernel")
	modules=${modules:-ours}
	silence=${silence-}
	[ "$verb" = shell ] || timeout=${timeout:-300}
	# KASAN takes an eighth, and delays frees
	if [ -z "$mem" ]; then
		mem=512M
		! is_debug "$kernel" && ! is_own "$kernel" && [ "$machine" = amd64 ] || mem=1G
	fi
	# QEMU counts instructions of one CPU only
	smp=${smp:-$((icount ? 1 : 2))}
	leak_check=1
	[ -z "$no_leak_check$no_kmemleak" ] || leak_check=''
}

check_kernel()
{
	[ -z "$disk" ] || is_own "$kernel" ||
		usage_error "--disk works only with --kernel BZIMAGE: give both"
	if is_own "$kernel"; then
		check_own_kernel
	else
		is_known "$kernel" ||
			usage_error "unknown kernel '$kernel': give one of $(known_kernels)," \
				"or a path with a slash"
		check_value --modules ours,mainline,fixes,step,series "$modules"
	fi
}

# check_form OPTION PATTERN WORDS: does its value match PATTERN? WORDS describe PATTERN.
check_form()
{
	local value=${!1}

	[[ $value =~ ^$2$ ]] || usage_error "--$1 must be $3, not '$value'"
}

check_copies()
{
	local file name seen=/

	for file in "${copy[@]}"; do
		[ -r "$file" ] || usage_error "--copy: '$file' is missing: give a file or directory"
		name=$(basename "$file")
		[[ $seen != *"/$name/"* ]] ||
			usage_error "--copy: two files have the name '$name': rename one"
		! is_in "$name" out bin kernel modules .lab . .. / ||
			usage_error "--copy: the guest's /lab has its own '$name': rename yours"
		seen+="$name/"
	done
}

check_options()
{
	local spec number='[1-9][0-9]{0,6}'

	check_kernel
	check_form mem '([1-9][0-9]{0,5}M|[1-9][0-9]{0,2}G)' "a size such as 512M or 2G, up to 999G"
	check_form smp '[1-9][0-9]{0,2}' "a number of CPUs"
	[ -z "$icount" ] || [ "$smp" = 1 ] ||
		usage_error "--icount works only with one CPU: leave out --smp '$smp'"
	[ "$verb$timeout" = shell ] || check_form timeout "$number" "a number of seconds"
	[ -z "$silence" ] || check_form silence "$number" "a number of seconds"
	for spec in "${device[@]}"; do
		[[ $spec =~ ^[A-Za-z0-9][A-Za-z0-9_.-]*(,[A-Za-z0-9_.-]+=[^,[:space:]]+)*$ ]] ||
			usage_error "--device is '$spec': give DRIVER[,NAME=VALUE]..."
	done
	check_copies
	if [ "$verb" = run ]; then
		[ "${#words[@]}" -gt 0 ] || usage_error "no command is given: see lab run --help"
	else
		[ -t 0 ] || usage_error "stdin is not a terminal: use lab run"
	fi
}

# Pack the files that the guest unpacks to /lab: bin/, .lab/, modules/, and those of --copy.
pack_input()
{
	local stage=$work/lab rows=24 cols=80 built file option='' tty=(ttyS{1,2,3})
	local side=$modules

	# what tests may expect of the core
	case $modules in
	fixes | step) side=mainline ;;
	series) side=ours ;;
	esac
	mkdir -p "$stage/.lab"
	cp -r "$lab/guest/inside" "$stage/bin"
	cp "$selftests/unplug/tcmu-start" "$stage/bin/"
	# if it is built; not in bin/, because an installed one comes first
	cp "$(programs_of "$machine")/uio-late-release" "$stage/.lab/" 2>/dev/null || :
	if [ "$verb" = shell ]; then
		read -r rows cols < <(stty size)
		printf 'exec bash -i\n' >"$stage/.lab/command"
	else
		printf 'exec %s\n' "${words[*]@Q}" >"$stage/.lab/command"
	fi
	[ "$machine" = amd64 ] || tty=(hvc{0,1,2})
	cat >"$stage/.lab/settings" <<-EOF
		LAB_VERB=$verb LAB_LEAK_CHECK=$leak_check LAB_DISK=$disk
		LAB_COMMAND=/dev/${tty[0]} LAB_CONTROL=/dev/${tty[1]}
		LAB_ROWS=$rows LAB_COLS=$cols LAB_TERM=${TERM:-dumb}
		export UIO_LAB_MODULES=$side UIO_LAB_KERNEL=$kernel
		${device[0]:+export UIO_LAB_MONITOR=/dev/${tty[2]}}
	EOF

	# The root image has the modules of one kernel only.
	if is_own "$kernel"; then
		pack_own_kernel "$stage"
	elif ! is_in "$kernel" "${kernels[@]}"; then
		cp -r "$(kernel_dir "$kernel")/image/usr/lib/modules/$(kernel_abi "$kernel")" \
			"$stage/kernel"
		is_compiled "$kernel" || make_initramfs "$stage/kernel"
	fi
	built=$build/modules-$kernel/$modules
	if [ -d "$built" ]; then
		lock shared "$build/modules-$kernel.lock"
		cp -r "$built" "$stage/modules"
		exec {locked}>&-
	elif [ "$modules" != mainline ] && ! is_own "$kernel"; then
		[ "$modules" = ours ] || option=' --fixes'
		die "the modules '$modules' are not built: run lab build --kernel $kernel$option"
	fi
	for file in "${copy[@]}"; do
		cp -rL "$file" "$stage/"
	done
	tar -cf "$work/in.tar" --owner=0 --group=0 -C "$stage" .
	rm -rf "$stage"
	truncate -s 8G "$work/out.tar"
}

guest_cleanup()
{
	end_children
	[ -z "${terminal-}" ] || stty "$terminal" || :
	keep_logs
	rm -rf "$work"
}

# QEMU writes the logs to build/, because it sees nothing else.
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
	printf '%s\n' -drive "file=$1,if=none,id=$2,$3" \
		-device "virtio-blk-${machine_virtio[$machine]},drive=$2,serial=$2"
}

# Options for a terminal on a chardev. A PC has serial ports enough.
terminal()
{
	if [ "$machine" = amd64 ]; then
		printf '%s\n' -serial "chardev:$1"
	else
		printf '%s\n' -device "virtconsole,chardev=$1"
	fi
}

# Options for the kernel's console, and for the bus that the other terminals are on.
console()
{
	if [ "$machine" = s390x ]; then
		printf '%s\n' -device sclpconsole,chardev=console
	else
		printf '%s\n' -serial chardev:console
	fi
	[ "$machine" = amd64 ] ||
		printf '%s\n' -device "virtio-serial-${machine_virtio[$machine]}"
}

# A PC's root disk is on NVMe, because Debian's cloud kernels have that driver built in.
root_disk()
{
	if [ "$machine" != amd64 ]; then
		disk "$(root_image "$machine")" lab-root format=raw,snapshot=on
		return
	fi
	if [ -n "$disk" ]; then
		printf '%s\n' -drive "file=$disk,format=qcow2,if=none,id=root"
	else
		printf '%s\n' -drive "file=$build/root.ext4,format=raw,snapshot=on,if=none,id=root"
	fi
	printf '%s\n' -device nvme,drive=root,serial=lab-root
}

# Connect QEMU's monitor with the guest's fourth serial port, for lab-monitor: each reads
# what the other writes. They use pipes, because the path of a socket has to be short.
monitor()
{
	mkfifo "$work/monitor.in" "$work/monitor.out"
	ln -s monitor.out "$work/port.in"
	ln -s monitor.in "$work/port.out"
	printf '%s\n' -chardev "pipe,id=monitor,path=$work/monitor" \
		-mon chardev=monitor,mode=control \
		-chardev "pipe,id=port,path=$work/port"
	terminal port
}

kernel_parameters()
{
	local khz

	parameters=("console=${machine_console[$machine]}" loglevel=5 root=/dev/nvme0n1 rw
		rootflags=noinit_itable init=/sbin/lab-init mitigations=off
		panic=-1 oops=panic panic_print=0x41)
	# A CPU that never leaves the kernel keeps printing, so the guest would not count as silent.
	[ -z "$allow_splat" ] || parameters+=(softlockup_panic=1)
	[ "$machine" = amd64 ] || return 0

	khz=$(cat "$build/tsc-khz")
	# With --icount, each instruction takes a nanosecond of guest time.
	[ -z "$icount" ] || khz=1000000
	# no_timer_check: on a busy host, the kernel finds the timer too slow, and panics
	parameters+=(tsc=reliable "tsc_early_khz=$khz" no_timer_check unknown_nmi_panic)
	is_debug "$kernel" || return 0
	# slab_debug=F switches off the per-CPU sheaves: kmemleak would take pointers left
	# there for references, and find no leak of slab memory. KUnit is off by default.
	# no5lvl: with five levels of page tables, KASAN reports valid addresses as wild, if
	# an interrupt comes while the boot CPU is identified.
	parameters+=(slab_debug=F kunit.enable=1 no5lvl)
	[ -z "$no_kmemleak" ] || parameters+=(kmemleak=off)
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
	local parameters spec accel=(-accel "tcg,thread=multi")

	kernel_parameters
	[ "$machine" != amd64 ] || accel=(-accel "$(cat "$build/accel")")
	[ -z "$icount" ] || accel=(-accel "tcg,thread=single" -icount shift=0)
	# shellcheck disable=SC2206 # words
	qemu=(${machine_qemu[$machine]} "${accel[@]}"
		-smp "$smp" -m "$mem" -nodefaults -no-user-config
		-display none -no-reboot -nic none
		-kernel "$(guest_image)"
		-append "${parameters[*]}"
		-chardev "file,id=console,path=$work/console.log")
	[ ! -e "$work/initramfs" ] || qemu+=(-initrd "$work/initramfs")
	if [ "$verb" = shell ]; then
		qemu+=(-chardev "stdio,id=command,signal=off")
	else
		qemu+=(-chardev "file,id=command,path=$work/output")
	fi
	qemu+=(-chardev "file,id=control,path=$work/control")
	mapfile -t -O "${#qemu[@]}" qemu < <(
		console
		terminal command
		terminal control
		root_disk
		disk "$work/in.tar" lab-in format=raw,readonly=on
		disk "$work/out.tar" lab-out format=raw,cache=unsafe
		watch_monitor
		[ "${#device[@]}" -eq 0 ] || monitor)
	for spec in "${device[@]}"; do
		qemu+=(-device "$spec")
	done
}

# Boot, show the command's output as it comes, and wait. The output goes through a file, so
# that a reader of ours that is slow or gone does not hold up the guest.
boot()
{
	local pid status=0

	touch "$work/console.log" "$work/control" "$work/output"
	LAB_TMP=$work
	export LAB_TMP
	if [ "$verb" = shell ]; then
		say "guest with ${modules/mainline/mainline\'s} modules; exit or Ctrl-D leaves it"
		contained "$lab/core/inside" enter "$tools" "${qemu[@]}" \
			<&0 2>"$work/qemu.log" &
	else
		contained "$lab/core/inside" enter "$tools" "${qemu[@]}" \
			</dev/null >"$work/qemu.log" 2>&1 &
	fi
	pid=$!
	namespaces=("$pid")
	if [ "$verb" = run ]; then
		begin tail -q -c +1 -s 0.1 -f --pid="$pid" "$work/output" 2>/dev/null
		watch "$pid" &
		children+=("$!")
	fi
	wait "$pid" 2>/dev/null || status=$?
	namespaces=()
	if [ "$verb" = run ]; then
		kill "${children[1]}" 2>/dev/null || :
		wait "${children[@]}" || :
	fi
	children=()
	qemu_status=$status
}

fetch_out()
{
	! grep -q '^out-failed' "$work/control" ||
		say "the guest could not copy all of /lab/out to the host"
	# tar takes a while to read 8 GB of holes
	[ "$(du -k "$work/out.tar" | cut -f 1)" -gt 0 ] || return 0
	mkdir -p "$results/out"
	tar -xf "$work/out.tar" -C "$results/out" --no-same-owner ||
		say "the copy of the guest's /lab/out is incomplete: see $(short "$results/out")"
}

# Print the last reason in the console log, as ", WORDS", or nothing.
why_it_died()
{
	sed -n -e 's/.*\(Kernel panic - not syncing: .*\)/, \1/p' \
		-e 's/.*modprobe: FATAL: \(Module [^ ]* not found\).*/, \1/p' \
		"$results/console.log" | tail -n 1
}

# Set verdict, the exit status of the verb, from what the guest has left.
verdict()
{
	local bad='' patterns=$work/splats

	verdict=$(sed -n 's/^status \([0-9]*\).*/\1/p' "$work/control")
	grep -Ev '^(#|$)' "$selftests/unplug/splats" >"$patterns"
	if grep -Eqf "$patterns" "$results/console.log"; then
		grep -Ef "$patterns" -A 40 "$results/console.log" >"$results/splats.txt"
	fi

	if [ -s "$work/gave-up" ]; then
		bad=$(cat "$work/gave-up")
	elif [ -z "$verdict" ] && [ "$qemu_status" -ne 0 ]; then
		bad="QEMU failed: $(tail -n 1 "$work/qemu.log")"
	elif ! grep -q '^run' "$work/control" && is_own "$kernel"; then
		bad="the kernel does not come up$(why_it_died): lab/README.md has what it needs"
	elif [ -z "$verdict" ]; then
		bad="the guest died$(why_it_died)"
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
	printf 'lab %s: %s (log: %s)\n' "$verb" "$bad" "$(short "$results/console.log")" >&2
}
