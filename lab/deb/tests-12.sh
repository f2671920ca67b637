# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Tests of deb-test: the package in a root of Debian 12, whose dkms is older.

tests_12=(debian12_installs debian12_6.1 debian12_6.12 debian12_upgrades)

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
	debian12_upgrades) upgrades_on_12 ;;
	esac
}
