# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The prebuilt kernel: Debian's cloud flavour, its headers, and the files of its source that we
# patch, or use for tests.

kernel_dir()
{
	printf '%s' "$build/kernel-$1"
}

# Print the release of a kernel, as uname -r does.
kernel_abi()
{
	cat "$build/kernel-$1/abi"
}

kernel_image()
{
	printf '%s' "$(kernel_dir "$1")/image/boot/vmlinuz-$(kernel_abi "$1")"
}

# Print the directory of the kernel's headers in the tools root.
kernel_headers()
{
	if is_compiled "$1"; then
		printf '%s' "$(kernel_dir "$1")/obj"
	else
		printf '%s' "/usr/src/linux-headers-$(kernel_abi "$1")"
	fi
}

# Print "ABI VERSION" of the newest signed kernel of SERIES that has headers and source of the
# same version. During an update, a mirror may lack some of them.
newest_kernel()
{
	local series=$1 abi version

	lab_apt apt-cache search --names-only \
		"^linux-image-${series//./\\.}\\.[^-]*-cloud-amd64\$" |
		sed -n 's/^linux-image-\([^ ]*\) .*/\1/p' | sort -Vr |
	while read -r abi; do
		version=$(apt_version "linux-image-$abi")
		if [ "$(apt_version "linux-headers-$abi")" = "$version" ] &&
		   [ -n "$(apt_version "linux-source-$series=$version")" ]; then
			printf '%s %s\n' "$abi" "$version"
			break
		fi
	done
}

unpack_source()
{
	local series=$1 tar=usr/src/linux-source-$1.tar.xz

	mkdir -p source
	dpkg-deb --fsys-tarfile "linux-source-$series"_*.deb |
		tar -xO "./$tar" | xz -T2 -dc |
		tar -x -C source --strip-components=1 \
			--wildcards --no-wildcards-match-slash \
			"linux-source-$series/drivers/uio" \
			"linux-source-$series/drivers/target" \
			"linux-source-$series/drivers/hv/*.h" \
			"linux-source-$series/drivers/net/ethernet/broadcom/cnic.c" \
			"linux-source-$series/drivers/net/ethernet/broadcom/*.h" \
			"linux-source-$series/drivers/net/ethernet/broadcom/bnx2x/*.h" \
			"linux-source-$series/drivers/scsi/qedi" \
			"linux-source-$series/drivers/scsi/bnx2i/*.h" \
			"linux-source-$series/drivers/scsi/bnx2fc/*.h" \
			"linux-source-$series/include/linux/uio_driver.h" \
			"linux-source-$series/Documentation/conf.py" \
			"linux-source-$series/Documentation/docutils.conf" \
			"linux-source-$series/Documentation/sphinx" \
			"linux-source-$series/Documentation/sphinx-static" \
			"linux-source-$series/scripts/checkpatch.pl" \
			"linux-source-$series/scripts/spelling.txt" \
			"linux-source-$series/scripts/const_structs.checkpatch" \
			"linux-source-$series/scripts/kernel-doc" \
			"linux-source-$series/tools/testing/selftests/*.h" \
			"linux-source-$series/tools/testing/selftests/*.sh" \
			"linux-source-$series/tools/testing/selftests/*.mk"
}

# Unpack the packages. headers_into_tools() later puts the headers into the tools root, where
# their absolute paths are right.
setup_kernel()
{
	local series=$1 dir new abi version common

	dir=$(kernel_dir "$series")
	new=$dir.new
	read -r abi version < <(newest_kernel "$series") || {
		reason "the Debian mirror has no $series cloud kernel:" \
			"use a mirror that carries $suite-security"
		return 1
	}
	common=${abi%-cloud-amd64}

	rm -rf "$new"
	mkdir -p "$new"
	cd "$new" || return
	apt_download "linux-image-$abi=$version" "linux-headers-$abi=$version" \
		"linux-headers-$common-common=$version" "linux-kbuild-$common=$version" \
		"linux-source-$series=$version"
	unpack_source "$series" &
	dpkg -x "linux-image-$abi"_*.deb image
	# Unpack modules here, because an emulated CPU takes long.
	find "image/usr/lib/modules/$abi" -name '*.ko.xz' -exec xz -d {} +
	wait "$!"
	rm -f linux-image-*.deb linux-source-*.deb

	printf '%s\n' "$abi" >abi
	rm -rf "$dir"
	mv "$new" "$dir"
	printf '%s %s\n' "linux-image-$abi" "$version" "linux-source-$series" "$version" \
		>"$build/versions.d/kernel-$series"
}

# These packages only have files in /usr, so the links /lib and /bin are safe.
headers_into_tools()
{
	local deb

	for deb in "$(kernel_dir "$1")"/linux-*.deb; do
		dpkg -x "$deb" "$tools"
	done
}
