# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Tests of deb-test: a driver of somebody else, whose makefile has the line of README.Debian. It
# is our sample. Where there is no context, it includes uio_fallback.h.

tests_driver=(driver_with_package driver_without_package driver_for_kernel_without_ours
	driver_documents)

# Put the driver from directory FROM into $driver, and compile it for KERNEL, in the root that the
# function IN enters.
make_driver()
{
	local from=$1 in=$2 kernel=$3

	driver=$work/driver
	rm -rf "$driver"
	cp -r "$from" "$driver"
	"$in" make -C "/lib/modules/$kernel/build" M="$driver" KCFLAGS=-Werror modules
}

# Is it linked to the symbols in this Module.symvers?
has_context()
{
	local symvers=$1 crc

	ls "$driver"/uio_sample{,_pages}.ko
	crc=$(symbol_version "$symvers" uio_context_init_v3)
	in_deb modprobe --dump-modversions "$driver/uio_sample.ko" | tee "$work/linked"
	grep -q "^${crc:?}[[:space:]]*uio_context_init_v3\$" "$work/linked"
}

has_no_context()
{
	in_deb modprobe --dump-modversions "$driver/uio_sample.ko" | tee "$work/linked"
	grep -q __uio_register_device "$work/linked"
	! grep uio_context "$work/linked"
}

# The sources, as their authors have them.
make_fallback()
{
	rm -rf "$work/fallback"
	cp -r "$top/samples/uio" "$work/fallback"
	cp "$top/compat/uio_fallback.h" "$work/fallback/"
	sed -i '/uio_driver.h>/a #include "uio_fallback.h"' "$work/fallback/uio_sample.c"
	sed -i 's/ uio_sample_pages.o//' "$work/fallback/Makefile"
	make_driver "$work/fallback" "$@"
}

test_driver()
{
	local installed
	installed=$root/var/lib/dkms/$module/kernel-$(deb_kernel new)-x86_64

	case $1 in
	driver_with_package)
		compile_all
		make_driver "$root/usr/share/doc/$module-dkms/examples" in_copy "$(deb_kernel new)"
		has_context "$(made_in /var/lib/dkms new)/Module.symvers" ;;
	driver_without_package)
		make_fallback in_deb "$(deb_kernel new)"
		has_no_context ;;
	driver_for_kernel_without_ours)
		compile_all
		mv "$installed" "$work/installed"
		make_fallback in_copy "$(deb_kernel new)"
		mv "$work/installed" "$installed"
		has_no_context ;;
	# they name files that are there
	driver_documents)
		compile_all
		zcat "$root/usr/share/doc/$module-dkms/uio-late-release.rst.gz" >"$work/contract"
		! grep '^\.\. kernel-' "$work/contract"
		grep -o '/usr/src/[^ ]*[a-z]' "$work/contract" | sort -u | tee "$work/named"
		(cd "$root" && sed 's,^/,,' "$work/named" | xargs ls)
		[ "$(wc -l <"$work/named")" -gt 3 ] ;;
	esac
}
