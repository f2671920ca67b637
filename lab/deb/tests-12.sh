# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Tests of deb-test: the package in a root of Debian 12, whose dkms is older.

tests_12=(debian12_installs debian12_6.1 debian12_6.12 debian12_driver
	debian12_driver_by_dkms debian12_upgrades)

in_12()
{
	run_contained "$lab/core/inside" enter "$root_12" "$@"
}

# Install the package as an operator does, once for all tests. Its postinst compiles for all
# kernels, because none of them runs.
install_12()
{
	root_12=$work/root-12
	[ ! -e "$root_12" ] || return 0
	cp -a "$deb_root_12" "$root_12"
	add_foreign "$root_12" "$(deb_kernel 12-6.1)"
	(cd "$work" && in_12 apt-get install -y --no-install-recommends ./{package,tool}.deb) \
		>"$work/install-12.log" 2>&1 || :
}

installs_on_12()
{
	cat "$work/install-12.log"
	# shellcheck disable=SC2016 # dpkg-query's
	[ "$(in_12 dpkg-query -W -f '${db:Status-Status}' "$module-dkms")" = installed ]
	grep -F "$module: $deb_foreign keeps its own" "$work/install-12.log" |
		grep -qF 'for kernels 6.1, 6.12, 7.2, 7.3 only'
}

makes_both_on_12()
{
	local kernel=$1 log
	log=$root_12/var/lib/dkms/$module/$version/build/make.log

	ls "$root_12/lib/modules/$kernel/updates/dkms"/{uio,target_core_user}.ko* || {
		tail -n 15 "$log" "$work/install-12.log"
		return 1
	}
}

# As for "driver_with_package", but here dkms itself does not keep Module.symvers.
makes_driver_on_12()
{
	local kernel
	kernel=$(deb_kernel 12-6.1)

	make_driver "$root_12/usr/share/doc/$module-dkms/examples" in_12 "$kernel"
	has_context "$root_12/var/lib/dkms/$module/$version/$kernel/x86_64/module/Module.symvers"
}

# The names of modules that a dkms.conf of a driver has to wait for, for KERNEL.
awaited()
{
	# shellcheck disable=SC2016 # the inner shell expands them
	in_12 bash -ec 'kernelver=$1; . "$2"; echo "${BUILD_DEPENDS[*]-}"' - "$1" \
		/usr/src/a_driver-1/dkms.conf
}

# dkms installs both for a kernel. By its name, the driver would be first.
driver_by_dkms()
{
	local kernel dir=$root_12/usr/src/a_driver-1
	kernel=$(deb_kernel 12-6.1)

	in_12 dkms remove "$module/$version" -k "$kernel"
	cp -r "$root_12/usr/share/doc/$module-dkms/examples" "$dir"
	cat >"$dir/dkms.conf" <<-'EOF'
		PACKAGE_NAME=a_driver PACKAGE_VERSION=1 AUTOINSTALL=yes
		BUILT_MODULE_NAME[0]=uio_sample
		DEST_MODULE_LOCATION[0]=/updates/dkms
	EOF
	zcat "$root_12/usr/share/doc/$module-dkms/README.Debian.gz" |
		sed -n 's/^ *\(\[ .*driver\.conf\)$/\1/p' >>"$dir/dkms.conf"
	in_12 dkms add a_driver/1
	in_12 dkms autoinstall -k "$kernel"
	in_deb modprobe --dump-modversions \
		"$root_12/lib/modules/$kernel/updates/dkms/uio_sample.ko" | grep uio_context_init
	[ "$(awaited "$kernel")" = "$module" ]
	[ -z "$(awaited "$deb_foreign")" ]
}

# A kernel that the package is not for can be installed: its hooks succeed, and ours says why
# there are no modules.
upgrades_on_12()
{
	in_12 run-parts --report --exit-on-error --arg="$deb_foreign" \
		--regex "^(dkms|$module)\$" /etc/kernel/postinst.d | tee "$work/said"
	[ "${PIPESTATUS[0]}" -eq 0 ]
	grep -qF "$module: $deb_foreign keeps its own" "$work/said"
}

test_12()
{
	install_12
	case $1 in
	debian12_installs) installs_on_12 ;;
	debian12_6.*) makes_both_on_12 "$(deb_kernel "12-${1#*_}")" ;;
	debian12_driver) makes_driver_on_12 ;;
	debian12_driver_by_dkms) driver_by_dkms ;;
	debian12_upgrades) upgrades_on_12 ;;
	esac
}
