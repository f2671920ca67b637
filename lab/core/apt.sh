# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A private apt: trixie from the mirror that this machine already uses. All its state is in
# build/apt. It reads the configuration of the host's apt, and writes nothing there.

suite=trixie
apt_machine=amd64
apt=$build/apt

# Another suite, or packages of another machine, in the calling shell only: it has its own
# lists, which are fetched at once. Programs that run here still come from amd64.
use_apt()
{
	[ "$1/$2" != "$suite/$apt_machine" ] || return 0
	suite=$1 apt_machine=$2 apt=$build/apt/$1-$2
	setup_lists
}

# The key of an entry of the host's sources, given as FILE:NUMBER of a line or stanza.
key_of()
{
	local file=${1%:*} number=${1##*:}

	case $file in
	*.sources) sed '/^#/d' "$file" | awk -v RS= -v n="$number" 'NR == n' ;;
	*) sed -n "${number}p" "$file" ;;
	esac | tr '\n\t' '  ' | sed -n 's/.*signed-by *[:=] *\([^] ]*\).*/\1/Ip'
}

# Print "SUITE URI" for each Debian archive on the network that the host's apt uses. Archives
# of other vendors have a key of their own, or no component "main".
host_archives()
{
	local release entry uri key

	# shellcheck disable=SC2016 # apt expands them
	apt-get indextargets --no-release-info 'Created-By: Packages' 'Component: main' \
		--format '$(RELEASE) $(SOURCESENTRY) $(REPO_URI)' |
	while read -r release entry uri; do
		key=$(key_of "$entry")
		[[ $uri = cdrom:* || -n $key && $key != *debian-archive* ]] ||
			echo "$release ${uri%/}"
	done
}

archive_of()
{
	host_archives | awk -v want="^($1)\$" '$1 ~ want && !n++ { print $2 }'
}

write_sources()
{
	local main security key codename suites="$suite $suite-updates $suite-backports"
	local stanza='Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n'

	# shellcheck source=/dev/null
	codename=$(. /etc/os-release; echo "${VERSION_CODENAME-}")
	main=$(archive_of "$codename|stable|oldstable")
	security=$(archive_of "($codename|stable|oldstable)-security")
	[ -n "$main" ] ||
		die "/etc/apt has no Debian mirror: add the archive of" \
			"${codename:-your release}, component main"
	for key in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		[ ! -e "$key" ] || break
	done
	[ -e "$key" ] ||
		die "Debian's archive keys are missing: apt-get install debian-archive-keyring"

	# For another machine any kernel of the series does. A mirror had lists for armhf whose
	# checksums were wrong, except for those of the suite itself.
	[ "$apt_machine" = amd64 ] || suites=$suite security=''
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	{
		# shellcheck disable=SC2059
		printf "$stanza" "$main" "$suites" "$key"
		# shellcheck disable=SC2059
		[ -z "$security" ] ||
			printf "\n$stanza" "$security" "$suite-security" "$key"
	} >"$apt/lab.sources"
}

# We use the host's settings for reaching its mirror (proxy, time-outs, dates), but not its
# hooks, because they would write to the host.
write_config()
{
	mkdir -p "$apt/none"
	apt-config dump | grep '^Acquire::' |
		grep -Ev '^Acquire::(cdrom|Changelogs|IndexTargets|CompressionTypes)' \
			>"$apt/host.conf"
	cat "$apt/host.conf" - >"$apt/apt.conf" <<-EOF
		Dir::Etc::main "$apt/none/apt.conf";
		Dir::Etc::parts "$apt/none";
		Dir::Etc::sourcelist "$apt/lab.sources";
		Dir::Etc::sourceparts "$apt/none";
		Dir::State::Lists "$apt/lists";
		Dir::State::status "/dev/null";
		Dir::Cache "$apt/cache";
		APT::Architecture "$apt_machine";
		APT::Architectures { "$apt_machine"; "amd64"; };
		APT::Sandbox::User "root";
		APT::Update::Error-Mode "any";
		Acquire::Languages "none";
		Acquire::Retries "2";
	EOF
}

lab_apt()
{
	APT_CONFIG=$apt/apt.conf "$@"
}

# The newest version of a package, or nothing.
apt_version()
{
	lab_apt apt-cache show --no-all-versions "$1" 2>/dev/null |
		sed -n 's/^Version: //p;T;q' || :
}

# Download PACKAGE[=VERSION]... into the current directory.
apt_download()
{
	lab_apt apt-get -q download "$@"
}

# Unpack all packages of the current directory to DIR, and print their names and versions.
unpack_debs()
{
	local deb

	for deb in *.deb; do
		dpkg -x "$deb" "$1"
		# shellcheck disable=SC2016 # dpkg's
		dpkg-deb -W --showformat='${Package} ${Version}\n' "$deb"
	done
}

setup_lists()
{
	write_sources
	write_config
	lab_apt apt-get -q update || {
		reason "no answer from the Debian mirror" \
			"$(sed -n 's/^URIs: //p;T;q' "$apt/lab.sources"):" \
			"check the network, then run this again"
		return 1
	}
}
