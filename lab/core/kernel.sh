# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Debian's prebuilt kernels: the image, its headers, and the few files of its source that
# we patch or test with. lab/kernels/list has their names.

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
	# riscv64's is named vmlinux
	printf '%s' "$(kernel_dir "$1")/image/boot"/vmlinu[xz]-"$(kernel_abi "$1")"
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

# Print a field of the line that lab/kernels/list has for NAME; nothing if there is none.
listed()
{
	awk -v name="$1" -v nr="$2" '$1 == name { print $nr }' "$lab/kernels/list"
}

machine_of()
{
	local machine

	machine=$(listed "$1" 2)
	printf '%s' "${machine:-amd64}"
}

# The series that patches and sources go by.
series_of()
{
	local series

	series=$(listed "$1" 3)
	printf '%s' "${series:-${1%%-*}}"
}

# Print "ABI VERSION" of the newest signed kernel of SERIES and FLAVOUR that has headers and
# source of the same version. During an update, a mirror may lack some of them.
newest_kernel()
{
	local series=$1 flavour=$2 abi version

	lab_apt apt-cache search --names-only \
		"^linux-headers-${series//./\\.}\.[0-9.]*[-+][^-]*-$flavour\$" |
		sed -n 's/^linux-headers-\([^ ]*\) .*/\1/p' | sort -Vr |
	while read -r abi; do
		version=$(apt_version "linux-image-$abi")
		if [ "$(apt_version "linux-headers-$abi")" = "$version" ] &&
		   [ -n "$(apt_version "linux-source-$series=$version")" ]; then
			printf '%s %s\n' "$abi" "$version"
			break
		fi
	done
}

# Print the packages that PACKAGE=VERSION depends on whose names match PATTERN.
needed_by()
{
	lab_apt apt-cache show "$1" | sed -n 's/^Depends: //p' | tr ',' '\n' |
		sed 's/^ *\([^ ]*\).*/\1/' | grep -E "$2"
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
			"linux-source-$series/tools/memory-model/linux-kernel.*" \
			"linux-source-$series/tools/memory-model/lock.cat" \
			"linux-source-$series/tools/testing/selftests/*.h" \
			"linux-source-$series/tools/testing/selftests/*.sh" \
			"linux-source-$series/tools/testing/selftests/*.mk"
}

# Leave in image/ the modules that a guest may need, and those that they need.
keep_modules()
{
	local abi=$1 dir=image/usr/lib/modules/$1 file kept=(builtin builtin.modinfo order)

	# packages of 7.x lack these, and depmod wants them
	for file in "${kept[@]/#/$dir/modules.}"; do
		[ -e "$file" ] || : >"$file"
	done
	in_tools depmod -b "$PWD/image/usr" "$abi" || return
	mkdir -p kept
	# shellcheck disable=SC2046 # names
	closure_of_modules "$dir" $(grep -v '^#' "$lab/kernels/modules") | while read -r file; do
		mkdir -p "kept/${file%/*}"
		mv "$dir/$file" "kept/$file"
	done
	mv "${kept[@]/#/$dir/modules.}" kept/
	rm -rf "$dir"
	mv kept "$dir"
}

# Print the files, below the modules' DIR, of these modules and of what they need, in the
# order in which they are loaded. What is built in has none.
closure_of_modules()
{
	awk -v wanted="${*:2}" '
		function name(file) {
			sub(/.*\//, "", file)
			sub(/\.ko.*/, "", file)
			gsub(/-/, "_", file)
			return file
		}
		{
			sub(/:/, "")
			line[name($1)] = $0
		}
		END {
			n = split(wanted, list, " ")
			for (i = 1; i <= n; i++) {
				nr = split(line[list[i]], files, " ")
				for (j = nr; j >= 1; j--)
					if (!seen[files[j]]++)
						print files[j]
			}
		}' "$1/modules.dep"
}

# Unpack the packages. headers_into_tools() later puts the headers into the tools root, where
# their absolute paths are right.
setup_kernel()
{
	local name=$1 dir new series flavour abi version package unpacking

	dir=$(kernel_dir "$name")
	new=$dir.new
	series=$(listed "$name" 3) flavour=$(listed "$name" 4)
	use_apt "$(listed "$name" 5)" "$(machine_of "$name")" || return
	read -r abi version < <(newest_kernel "$series" "$flavour") || {
		reason "the Debian mirror has no kernel $series-$flavour:" \
			"use a mirror that carries $suite-security and $suite-backports"
		return 1
	}

	rm -rf "$new"
	mkdir -p "$new"
	cd "$new" || return
	# shellcheck disable=SC2046 # names
	apt_download {"linux-image-$abi","linux-headers-$abi","linux-source-$series"}"=$version" \
		$(needed_by "linux-image-$abi=$version" '^linux-(binary|modules)-') \
		$(needed_by "linux-headers-$abi=$version" '^linux-headers-') \
		$(needed_by "linux-headers-$abi=$version" '^linux-kbuild-' | sed 's/$/:amd64/')
	unpack_source "$series" &
	unpacking=$!
	for package in linux-{image,binary,modules}-"$abi"_*.deb; do
		[ ! -e "$package" ] || dpkg -x "$package" image
	done
	# 6.1 has its modules in /lib, 7.x has its image among the modules
	[ ! -d image/lib ] || { mkdir -p image/usr; mv image/lib image/usr/; }
	[ ! -e "image/usr/lib/modules/$abi/vmlinuz" ] ||
		install -D "image/usr/lib/modules/$abi/vmlinuz" "image/boot/vmlinuz-$abi"
	is_in "$name" "${kernels[@]}" || keep_modules "$abi"
	# Emulated CPUs take long over xz; ours does not.
	find "image/usr/lib/modules/$abi" -name '*.ko.xz' -exec xz -d {} +
	is_in "$name" "${kernels[@]}" || in_tools depmod -b "$PWD/image/usr" "$abi"
	wait "$unpacking"
	rm -f linux-{image,binary,modules,source}-*.deb

	printf '%s\n' "$abi" >abi
	rm -rf "$dir"
	mv "$new" "$dir"
	printf '%s %s\n' "linux-image-$abi" "$version" "linux-source-$series" "$version" \
		>"$build/versions.d/kernel-$name"
}

# 6.1's packages have a directory /lib. The tools' link of that name has to stay. Kernels of one
# series share a package, which another build may be using: files that are there stay, too.
headers_into_tools()
{
	local deb

	for deb in "$(kernel_dir "$1")"/linux-*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink \
			--keep-newer-files --warning=no-ignore-newer -C "$tools"
	done
}
