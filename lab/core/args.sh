# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Arguments of a verb.

# A verb begins with a comment that is its help: all lines of it after "# usage: ".
show_help()
{
	sed -n '/^# usage: /,/^$/{s/^# \{0,1\}//p}' "$1"
}

# Is VALUE one of VALUES? They are separated by commas; if there are none, any value is.
check_value()
{
	local option=$1 values=$2 value=$3

	[ -z "$values" ] || is_in "$value" "${values//,/ }" ||
		usage_error "$option is '$value': give one of ${values//,/ }"
}

# parse SPEC... -- ARG...: read the arguments. A SPEC is
#
#	list		--list sets list=1
#	results=	--results VALUE sets results; kernel=6.12,7.3 takes these values only
#	copy+		--copy VALUE, any number of times, adds to the array copy
#	NAME...		other words are allowed, and go to the array words
#	CMD...		the same, but options after the first word also go to words
#
# A variable whose option is absent is empty. A value or a word must not be empty: it may come
# from a variable that somebody forgot to set. --help shows the verb's help, and exits.
parse()
{
	local -A specs=()
	local spec name rest=''

	words=()
	while [ "$1" != -- ]; do
		spec=$1 name=${1%%[=+]*}
		case $spec in
		*...) rest=${spec%...} ;;
		*+) specs[$name]=+
			declare -ga "${name//-/_}=()" ;;
		*) specs[$name]=${spec#"$name"}
			declare -g "${name//-/_}=" ;;
		esac
		shift
	done
	shift
	while [ $# -gt 0 ]; do
		# --NAME=VALUE
		name=${1%%=*}
		[[ $1 != --[!=]*=* || -z ${specs[${name#--}]-} ]] ||
			set -- "$name" "${1#*=}" "${@:2}"
		parse_one "$@" || break
		shift "$taken"
	done
	[ "$rest" != CMD ] || words=("$@")
}

# Set taken to the number of arguments that were read. Fail at the first argument that
# belongs to CMD.
parse_one()
{
	local name=${1#--} spec variable

	taken=1
	case $1 in
	'') usage_error "an argument is empty: see lab $verb --help" ;;
	--help | -h)
		show_help "$0"
		exit 0 ;;
	--)
		[ "$rest" = CMD ] || usage_error "unknown option '--': see lab $verb --help"
		shift
		[ -n "${1-x}" ] || usage_error "an argument is empty: see lab $verb --help"
		words=("$@") rest=
		return 1 ;;
	-?*)
		[[ $1 = --?* && -v specs[$name] ]] ||
			usage_error "unknown option '$1': see lab $verb --help" ;;
	*)
		[ "$rest" != CMD ] || return 1
		[ -n "$rest" ] ||
			usage_error "unexpected argument '$1': see lab $verb --help"
		words+=("$1")
		return ;;
	esac
	spec=${specs[$name]} variable=${name//-/_}
	if [ -z "$spec" ]; then
		printf -v "$variable" 1
		return
	fi
	[ -n "${2-}" ] || usage_error "$1 needs a value: see lab $verb --help"
	taken=2
	if [ "$spec" = + ]; then
		local -n array=$variable
		array+=("$2")
	else
		check_value "$1" "${spec#=}" "$2"
		printf -v "$variable" '%s' "$2"
	fi
}

# Each of the words has to be one of the arguments. WHAT names their kind.
check_words()
{
	local what=$1 word

	shift
	for word in "${words[@]}"; do
		is_in "$word" "$@" || usage_error "there is no $what '$word': see lab $verb --list"
	done
}
