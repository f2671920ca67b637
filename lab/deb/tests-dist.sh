# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Tests of deb-test: the tarball of "lab dist", in a root that has only dkms, make, gcc, patch and
# headers, and that calls itself another distribution.

tests_dist=(tarball_is_added tarball_is_added_by_dkms_3.2 tarball_core tarball_tcmu
	tarball_wrong_source tarball_program)

in_other()
{
	run_contained "$lab/core/inside" enter "$root_dist" "$@"
}

make_other_root()
{
	root_dist=$work/root-dist
	tarball=$build/dist/$module-$version.tar.gz
	[ ! -e "$root_dist" ] || return 0
	do_now "$lab/lab" dist
	cp -a "$deb_root_12" "$root_dist"
	rm -f "$root_dist"/{usr/bin/{dpkg,apt}*,etc/debian_version,etc/os-release}
	echo 'ID=other' >"$root_dist/etc/os-release"
}

# Let dkms of Debian 13 do it, in directories of its own, because the package of that root has
# the same name.
is_added_by_3_2()
{
	compile_all
	mkdir -p "$root/var/tmp/dist"/{tree,src}
	in_copy dkms add --dkmstree /var/tmp/dist/tree --sourcetree /var/tmp/dist/src "$tarball"
	[ -L "$root/var/tmp/dist/tree/$module/$version/source" ]
	ls "$root/var/tmp/dist/src/$module-$version"/{Kbuild,dkms.conf}
}

# Print the names of the modules that dkms makes for Debian's kernel 6.1.
made_by()
{
	local kernel
	kernel=$(deb_kernel 12-6.1)

	in_other dkms build "$module/$version" -k "$kernel" >&2 || {
		tail -n 15 "$root_dist/var/lib/dkms/$module/$version/build/make.log" >&2
		return 1
	}
	in_other dkms install "$module/$version" -k "$kernel" >&2
	(cd "$root_dist/lib/modules/$kernel/updates/dkms" && printf '%s ' *.ko)
}

# The source of the kernel of a series, as far as it matters.
own_source()
{
	tar -xf "$deb_root/usr/src/linux-source-$1.tar.xz" -C "$work"
	echo "$work/linux-source-$1"
}

# As its README says: unpack, add the kernel's own drivers, and give the directory to dkms.
makes_all()
{
	local dir=$work/unpacked

	mkdir "$dir"
	tar -xf "$tarball" -C "$dir"
	in_other "$dir/$module-$version/compat/add" "$(own_source 6.1)" 6.1
	in_other dkms remove "$module/$version" --all || :
	rm -rf "$root_dist/usr/src/$module-$version"
	in_other dkms add "$dir/$module-$version"
	[ "$(made_by)" = "target_core_user.ko uio.ko uio_pci_generic.ko uio_pdrv_genirq.ko " ]
}

# SOURCE as SERIES has to be refused with these WORDS, and to leave no TCMU.
refuses()
{
	local words=$3 dir=$work/refused

	mkdir -p "$dir"
	tar -xf "$tarball" -C "$dir"
	! in_other "$dir/$module-$version/compat/add" "$1" "$2" >"$work/said" 2>&1 ||
		return 1
	cat "$work/said"
	[ -z "$(find "$dir" -path '*/patched/*/target_core_user.*')" ]
	grep -q "^add: .*$words" "$work/said"
}

wrong_source_is_told()
{
	refuses "$(own_source 6.1)" 6.12 'does not apply'
	refuses "$(own_source 6.12)" 6.5 'for kernels 6.1, 6.12'
	refuses "$top/lab" 6.12 'not the source of a kernel'
	refuses "$top" 6.12 'has none of the drivers'
	refuses "$work/missing" 6.12 'not the source of a kernel'
}

# In a directory of its own, and with tools of Debian 13, because that root has no pkg-config.
tarball_program()
{
	local dir=$work/for-programs

	mkdir "$dir"
	tar -xf "$tarball" -C "$dir"
	in_other make -C "$dir/$module-$version/tools/uio" install-header DESTDIR="$dir"
	program_compiles in_deb env PKG_CONFIG_PATH="$dir/usr/local/share/pkgconfig" \
		PKG_CONFIG_SYSROOT_DIR="$dir"
}

test_dist()
{
	make_other_root
	case $1 in
	tarball_is_added)
		in_other dkms add "$tarball"
		in_other dkms status | grep "^$module/$version: added" ;;
	tarball_is_added_by_dkms_3.2) is_added_by_3_2 ;;
	tarball_core)
		in_other dkms status | grep -q "^$module/$version" || in_other dkms add "$tarball"
		[ "$(made_by)" = "uio.ko " ] ;;
	tarball_tcmu) makes_all ;;
	tarball_wrong_source) wrong_source_is_told ;;
	tarball_program) tarball_program ;;
	esac
}
