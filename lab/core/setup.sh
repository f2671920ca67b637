# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Set-up runs in steps. A step makes its result under another name, and renames it at the
# end. Then it leaves a stamp: the hash of its inputs. If a step is interrupted, the next
# set-up repeats only that step.

for part in core/{apt,bootstrap,tools,extra,kernel,compile,image,machine} deb/roots \
	clients/packages; do
	# shellcheck source=/dev/null
	. "$lab/$part.sh"
done

# A step prints this line to its log. It is shown if the step fails.
reason()
{
	printf 'reason: %s\n' "$*"
}

check_space()
{
	local need=$1 free

	free=$(df --output=avail -m "$build" | tail -n 1)
	[ "$free" -ge "$need" ] ||
		die "$build has only $((free)) MB free, and set-up needs $need MB: free some space"
}

patches_of()
{
	patches_in "$lab/kernels/${1%%-*}" | xargs -r cat
}

# The hash of all inputs of STEP.
inputs_of()
{
	case $1 in
	mmdebstrap) echo "$suite" ;;
	tools) cat "$lab/packages/tools" "$lab/core/bootstrap.sh" ;;
	lint | languages) cat "$lab/packages/$1" "$lab/core/bootstrap.sh" ;;
	debkernels) declare -f kernels_with_headers choose_{newest,old_and_new} setup_debkernels ;;
	debroot)
		cat "$lab/packages/deb" "$lab/core/bootstrap.sh" "$top/compat/series" \
			"$deb_kernels"/{old,new,7.2,7.3}
		declare -f install_source ;;
	debroot12)
		cat "$lab/packages/deb-12" "$lab/core/bootstrap.sh" "$deb_kernels"/12-* ;;
	debdisk)
		cat "$lab"/packages/{guest,deb-guest} "$lab/guest/inside/stub" \
			"$lab/core/bootstrap.sh" "$deb_kernels/old"
		declare -f add_foreign finish_disk setup_debdisk ;;
	debdisk12)
		cat "$lab"/packages/{guest,deb-guest} "$lab/guest/inside/stub" \
			"$lab/core/bootstrap.sh" "$deb_kernels/12-6.1"
		declare -f add_foreign finish_disk setup_debdisk12 ;;
	client-*) packages_of_client "${1#client-}"
		cat "$build/versions.d/guest"
		declare -f with_needed setup_client ;;
	machine-*) cat "$build/stamps/tools" "$lab/core/machine.sh" ;;
	root-*) root_suite "${1#root-}"
		cat "$lab/packages/guest" "$lab/guest/inside/stub" \
			"$lab/core"/{bootstrap,machine}.sh ;;
	source-*) declare -f setup_source unpack_all patch_source
		patches_of "${1#source-}" ;;
	kernel-*)
		if is_compiled "${1#kernel-}"; then
			echo "$build"
			# shellcheck disable=SC2046 # paths without blanks
			cat "$lab/core/compile.sh" $(fragments_of "${1#kernel-}") \
				"$build"/versions.d/{source-"${1#kernel-}",tools}
			patches_of "${1#kernel-}"
		else
			cat "$lab/core/kernel.sh" "$lab/kernels/modules"
			grep "^${1#kernel-}[[:space:]]" "$lab/kernels/list"
		fi ;;
	headers-*) cat "$build"/{stamps/tools,versions.d/kernel-"${1#headers-}"} ;;
	guestroot) cat "$lab/packages/guest" "$lab/guest/inside/stub" "$lab/core/bootstrap.sh" ;;
	image) inputs_of guestroot
		cat "$lab/core/image.sh" "${kernels[@]/#/$build/versions.d/kernel-}" ;;
	accel) uname -r; stat -c %t:%T /dev/kvm || :; grep -m 1 'model name' /proc/cpuinfo
		cat "$build/stamps/tools" "$lab/core/tsc-khz.c" "$lab/core/image.sh" ;;
	esac 2>/dev/null | sha256sum
}

done_already()
{
	[ -e "$build/stamps/$1" ] &&
		[ "$(cat "$build/stamps/$1")" = "$(inputs_of "$1")" ]
}

describe()
{
	case $1 in
	lists) echo "package lists" ;;
	mmdebstrap) echo "mmdebstrap" ;;
	tools) echo "tools (gcc, kbuild, QEMU)" ;;
	lint) echo "lint tools (Sphinx, shellcheck, codespell)" ;;
	languages) echo "compilers for Rust and Go" ;;
	debkernels) echo "list of kernels for the package" ;;
	debroot) echo "packaging tools (debhelper, dkms, lintian)" ;;
	debroot12) echo "root of Debian 12 with dkms" ;;
	debdisk) echo "image of a machine with dkms" ;;
	debdisk12) echo "image of a machine with Debian 12 and dkms" ;;
	client-*) echo "client ${1#client-}" ;;
	source-*) echo "source of kernel ${1#source-}" ;;
	kernel-*)
		if is_compiled "${1#kernel-}"; then
			echo "kernel ${1#kernel-}"
		else
			echo "kernel ${1#kernel-}, its headers and source"
		fi ;;
	headers-*) echo "headers of kernel ${1#headers-}" ;;
	machine-*) echo "compiler and QEMU for ${1#machine-}" ;;
	root-*) echo "guest root image for ${1#root-}" ;;
	guestroot) echo "guest packages (tcmu-runner, targetcli, fio)" ;;
	image) echo "guest root image" ;;
	accel) echo "test of KVM and of the clock" ;;
	esac
}

# Run a step. It runs in namespaces of its own: see core/inside.
run_step()
{
	case $1 in
	lint | languages) setup_extra "$1" ;;
	client-*) setup_client "${1#client-}" ;;
	source-*) setup_source "${1#source-}" ;;
	kernel-*)
		if is_compiled "${1#kernel-}"; then
			setup_compiled_kernel "${1#kernel-}"
		else
			setup_kernel "${1#kernel-}"
		fi ;;
	headers-*) headers_into_tools "${1#headers-}" ;;
	machine-*) setup_machine "${1#machine-}" ;;
	root-*) setup_root_of "${1#root-}" ;;
	*) "setup_$1" ;;
	esac
}

step_failed()
{
	local step=$1 log=$build/log/$1.log why

	why=$(sed -n 's/^reason: //p' "$log" | tail -n 1)
	[ -n "$why" ] || why=$(grep -Ei '^E:|error' "$log" | tail -n 1) || :
	[ "$(df --output=avail -m "$build" | tail -n 1)" -ge 50 ] || why="the disk is full"
	die "set-up of the $(describe "$step") failed:" \
		"${why:-no reason given} (log: $(short "$log"))"
}

# Run the STEPs that are not done yet, side by side.
steps()
{
	local step pid status i todo=() started=$SECONDS

	for step in "$@"; do
		done_already "$step" || todo+=("$step")
	done
	namespaces=()
	for step in "${todo[@]}"; do
		rm -f "$build/stamps/$step"
		[ "${#todo[@]}" -eq 1 ] || say "$(describe "$step") ..."
		# A long step writes its progress to descriptor 3.
		contained "$lab/core/inside" step "$step" \
			3>&2 >"$build/log/$step.log" 2>&1 </dev/null &
		namespaces+=("$!")
	done
	while [ "${#todo[@]}" -gt 0 ]; do
		status=0
		wait -n -p pid "${namespaces[@]}" || status=$?
		for i in "${!namespaces[@]}"; do
			[ "${namespaces[i]}" = "$pid" ] || continue
			step=${todo[i]}
			unset "namespaces[$i]" "todo[$i]"
		done
		if [ "$status" -ne 0 ]; then
			end_children
			wait 2>/dev/null || :
			step_failed "$step"
		fi
		inputs_of "$step" >"$build/stamps/$step.new"
		mv "$build/stamps/$step.new" "$build/stamps/$step"
		say "$(describe "$step") ready, $((SECONDS - started)) s"
	done
}

setup_done()
{
	local step

	for step in tools "${kernels[@]/#/kernel-}" "${kernels[@]/#/headers-}" image accel; do
		done_already "$step" || return 1
	done
	[ -e "$build/root.ext4" ] && [ -e "$build/accel" ]
}

# Set up what all verbs need, and KERNEL...
setup()
{
	local k

	setup_base
	for k in "$@"; do
		if is_compiled "$k"; then
			setup_compiled "$k"
		elif ! is_in "$k" "${kernels[@]}"; then
			setup_listed "$k"
		fi
	done
}

make_base()
{
	local started=$SECONDS

	say "setting up (once, a minute or more; everything goes to build/)"
	check_space 4096
	mkdir -p "$build/tmp" "$build/log" "$build/stamps" "$build/versions.d"
	# files of verbs that run now end in their PID
	find "$build/tmp" -mindepth 1 -maxdepth 1 ! -name '*.[0-9]*' -exec rm -rf {} +
	rm -f "$build/stamps/lists"
	steps lists
	steps mmdebstrap
	if done_already image && [ -e "$build/root.ext4" ]; then
		steps tools "${kernels[@]/#/kernel-}"
	else
		rm -f "$build/stamps/image"
		steps tools "${kernels[@]/#/kernel-}" guestroot
	fi
	steps "${kernels[@]/#/headers-}"
	[ -e "$build/root" ] || rm -f "$build/stamps/guestroot"
	steps image accel
	cat "$build"/versions.d/* >"$build/versions"
	say "set-up done in $((SECONDS - started)) s"
}

# The lock keeps "lab clean" from removing build/ while a guest runs.
setup_base()
{
	check_host
	once "$build/lock" setup_done make_base
}

# Run STEPs that download something after the base was set up. They need new package lists.
# The lock lets only one process use apt's lists and cache.
download_step()
{
	local apt_lock step

	lock exclusive "$build/apt.lock"
	apt_lock=$locked
	rm -f "$build/stamps/lists"
	steps lists
	for step in "$@"; do
		done_already "$step" || say "$(describe "$step") ..."
		steps "$step"
	done
	exec {apt_lock}>&-
}

# The steps of a kernel of the list, and of its machine if that is another one.
steps_of()
{
	local machine

	machine=$(machine_of "$1")
	[ "$machine" = amd64 ] || printf '%s\n' "machine-$machine" "root-$machine"
	printf '%s\n' "kernel-$1" "headers-$1"
}

listed_done()
{
	local step

	for step in $(steps_of "$1"); do
		done_already "$step" || return 1
	done
	[ -e "$(kernel_dir "$1")/abi" ]
}

download()
{
	mkdir -p "$build/tmp"
	check_space 4096
	download_step "$@"
	cat "$build"/versions.d/* >"$build/versions"
}

make_listed()
{
	# shellcheck disable=SC2046 # names
	download $(steps_of "$1")
}

setup_listed()
{
	once "$build/kernel-$1.lock" listed_done make_listed "$1"
}

# What compiles programs for a machine, without a kernel of it.
setup_compiler()
{
	once "$build/machine-$1.lock" done_already download "machine-$1"
}

compiled_done()
{
	done_already "source-$1" && done_already "kernel-$1" &&
		[ -e "$(kernel_dir "$1")/abi" ]
}

# The source of a compiled kernel. Call it with the lock of setup_compiled().
unpack_source_of()
{
	done_already "source-$1" && return
	mkdir -p "$build/tmp"
	say "setting up kernel $1 (once, 10 minutes or more)"
	check_space 8192
	download_step "source-$1"
}

make_compiled()
{
	local k=$1 started=$SECONDS

	unpack_source_of "$k"
	steps "kernel-$k"
	cat "$build"/versions.d/* >"$build/versions"
	say "kernel $k set up in $((SECONDS - started)) s"
}

# The lock is its own, so that guests with other kernels can run while this one is compiled.
setup_compiled()
{
	once "$build/kernel-$1.lock" compiled_done make_compiled "$1"
}
