# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The patch series, made from what is in this repository and nothing else. The file
# series.d/order names the patches. Of each, series.d has
#
#	NAME.msg	the message
#	NAME.files	patterns: what comes with this patch
#	NAME.cut	what it adds to files that an earlier patch brought: taken away, it
#			leaves them as they are before
#	NAME.kernel	what it changes in the kernel's own files
#
# So the tree after a patch is the kernel's with all changes up to there, and ours with
# everything later cut away. series.d/tree has files that look another way in a kernel
# tree; series.d/stays, what is not part of the series.

series=$lab/series.d
series_kernel=7.3-debug
series_out=$build/series

# Patches, as series.d/order has them: a name, or the path of a patch.
series_patches()
{
	grep -Ev '^(#|$)' "$series/order"
}

# What a list has, without comments: the first word of each line.
series_list()
{
	[ ! -e "$1" ] || sed -E 's/[[:space:]].*//; /^(#|$)/d' "$1"
}

# Does FILE match a pattern of MAINTAINERS' kind: DIR/ is all below it, * stops at /.
series_matches()
{
	local file=$1 pattern regex

	shift
	for pattern in "$@"; do
		regex=${pattern//./\\.}
		regex=${regex//\*/[^/]*}
		[[ $pattern != */ ]] || regex+='.*'
		[[ ! $file =~ ^$regex$ ]] || return 0
	done
	return 1
}

# Files of ours that go into a kernel tree. A new file has to be on one side or the
# other, so all that is not in series.d/stays is meant to be sent.
series_files()
{
	local file
	local -a stays

	mapfile -t stays < <(series_list "$series/stays")
	(cd "$top" && source_files) | while IFS= read -r file; do
		series_matches "$file" "${stays[@]}" || printf '%s\n' "$file"
	done
}

# What builds for several kernels builds for one there.
series_strip()
{
	local dir=$1 file status
	local -a files

	mapfile -t files < <(cd "$dir" &&
		grep -rlE 'LINUX_VERSION_CODE|UIO_MAINLINE' --include='*.[ch]' .)
	for file in "${files[@]}"; do
		status=0
		# its status is 1 if it changed something
		in_lint unifdef -B -UUIO_MAINLINE -DLINUX_VERSION_CODE=0x70300 \
			-DKERNEL_VERSION=0x70300 -o "$dir/$file.new" "$dir/$file" || status=$?
		[ "$status" -le 1 ] || die "unifdef: ${file#./}: status $status"
		sed -i '/^#include <linux\/version\.h>$/d' "$dir/$file.new"
		chmod --reference="$dir/$file" "$dir/$file.new"
		mv "$dir/$file.new" "$dir/$file"
	done
	# older ones do not have that
	find "$dir" -name '*.[ch]' -exec sed -i -E \
		-e 's/\bk([mz])alloc\(sizeof\((\*[a-z_]+)\), (GFP_[^)]+)\)/k\1alloc_obj(\2, \3)/' \
		-e 's/(alloc_obj\([^)]*), GFP_KERNEL\)/\1)/' {} +
}

# A file that takes the place of one of the kernel's, or of a part of it, keeps its
# copyright lines.
series_keep_copyright()
{
	local file=$1 theirs=$2 lines

	lines=$(sed -n '/^ \* Copyright/p' "$theirs")
	[ -n "$lines" ] || die "$theirs: has no copyright lines any more"
	LINES_TO_ADD=$lines awk '
		{ print }
		/^\/\*$/ && !done { print ENVIRON["LINES_TO_ADD"] "\n *"; done = 1 }
	' "$file" >"$file.new"
	mv "$file.new" "$file"
}

# Ours, as they are when all patches are applied: DIR.
series_ours()
{
	local dir=$1 source=$2 file

	rm -rf "$dir"
	mkdir -p "$dir"
	series_files | (cd "$top" && xargs -d '\n' cp --parents -p -t "$dir")
	series_strip "$dir"
	cp -r "$series/tree/." "$dir/"
	series_edit "$dir" "$series/in-tree.edit"
	series_keep_copyright "$dir/include/linux/uio_driver.h" \
		"$source/include/linux/uio_driver.h"
	for file in uio_{main,register,event,file,mmap,fault,sysfs}.c uio_internal.h; do
		series_keep_copyright "$dir/drivers/uio/$file" "$source/drivers/uio/uio.c"
	done
}

# The kernel's files that some patch changes, and those that it deletes.
series_kernel_files()
{
	local name

	{
		cat "$series"/*.kernel | sed -n 's/^file //p'
		series_patches | while read -r name; do
			[[ $name != */* ]] || sed -n 's,^--- a/,,p' "$top/$name"
		done
		printf '%s\n' MAINTAINERS drivers/uio/Makefile include/linux/uio_driver.h
	} | sort -u | while read -r name; do
		[ ! -f "$1/$name" ] || printf '%s\n' "$name"
	done
}

series_edit()
{
	local dir=$1 script=$2

	"$series/edit" "$dir" <"$script" || die "$(short "$script") does not fit (see above)"
}

# The trees of ours after each patch: OUT/1 and on, from the last one to the first.
series_cut_down()
{
	local out=$1 k file tree
	local -a comes

	for ((k = ${#patches[@]}; k > 1; k--)); do
		tree=$out/$((k - 1))
		cp -r "$out/$k" "$tree"
		[ ! -e "$series/${patches[k - 1]}.cut" ] ||
			series_edit "$tree" "$series/${patches[k - 1]}.cut"
		mapfile -t comes < <(series_list "$series/${patches[k - 1]}.files")
		[ "${#comes[@]}" -gt 0 ] || continue
		(cd "$tree" && find . -type f -printf '%P\n') |
			while IFS= read -r file; do
				! series_matches "$file" "${comes[@]}" || rm "$tree/$file"
			done
	done
	# nothing of ours is there before the first patch
	mapfile -t comes < <(series_list "$series/${patches[0]}.files")
	while IFS= read -r file; do
		series_matches "$file" "${comes[@]}" ||
			die "$file: neither does a series.d/*.files have it, nor series.d/stays"
	done < <(cd "$out/1" && find . -type f -printf '%P\n')
}

# What a stage's makefile and list of maintainers have goes by the files that it has.
series_generated()
{
	local ours=$1 tree=$2

	(cd "$tree" && find drivers/uio -type f) >"$tree.files"
	series_generate Makefile "$tree/drivers/uio/Makefile" "$top/drivers/uio/Makefile"
	(cd "$ours" && find . -type f -printf '%P\n') >"$tree.files"
	series_generate MAINTAINERS "$tree/MAINTAINERS" "$top/MAINTAINERS"
	rm "$tree.files"
}

series_generate()
{
	local what=$1 file=$2 ours=$3

	awk -v who="$series_author" -f "$series/$what.awk" "$tree.files" "$ours" "$file" \
		>"$file.new"
	mv "$file.new" "$file"
}

# Git in this repository, whoever it belongs to.
series_our_git()
{
	git -C "$top" -c safe.directory="$top" "$@"
}

# Git in git_dir, as if there were nobody's settings.
series_git()
{
	env GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 \
		GIT_COMMITTER_NAME="${series_author% <*}" GIT_COMMITTER_EMAIL="$series_email" \
		GIT_COMMITTER_DATE="$series_date" git -C "$git_dir" \
		-c gc.auto=0 "$@"
}

series_setup()
{
	local tool

	for tool in git perl; do
		command -v "$tool" >/dev/null || die "$tool is missing: apt-get install $tool"
	done
	setup_source_of "$series_kernel"
	setup_lint_root
	series_source=$(kernel_dir "$series_kernel")/source
	series_work=$build/series-work
	mapfile -t patches < <(series_patches)
	# whoever has made this: git am -s adds who sends it
	series_author=$(series_our_git log -1 --format='%an <%ae>' \
		2>/dev/null) || die "this is no git checkout: the series needs its log"
	series_email=${series_author##*<}
	series_email=${series_email%>}
	series_date=$(series_our_git log -1 --format=%aI)
}

series_copy_kernel()
{
	mkdir -p "$1"
	series_kernel_files "$series_source" |
		(cd "$series_source" && xargs -d '\n' cp --parents -t "$1")
}

# The kernel's files that the series is about, in a repository of their own.
series_base()
{
	git_dir=$series_work/git
	series_copy_kernel "$git_dir"
	series_git init -q -b series
	series_commit -m "Linux $(series_version)"
	cp -r "$series_work/git" "$series_work/kernel"
	rm -rf "$series_work/kernel/.git"
}

series_version()
{
	sed -n 's/^\(VERSION\|PATCHLEVEL\|SUBLEVEL\) = //p' "$series_source/Makefile" |
		paste -sd .
}

series_commit()
{
	series_git add --all
	series_git commit -q --author "$series_author" --date "$series_date" "$@"
}

# The whole tree after patch K, into the repository.
series_stage()
{
	local k=$1 name=${patches[$1 - 1]} kernel=$series_work/kernel message

	if [[ $name = */* ]]; then
		GIT_CEILING_DIRECTORIES=$build \
			git -C "$kernel" apply --whitespace=nowarn "$top/$name" ||
			die "$name does not apply"
		message=$(series_message_of "$top/$name")
	else
		[ ! -e "$series/$name.kernel" ] || series_edit "$kernel" "$series/$name.kernel"
		message=$(cat "$series/$name.msg" 2>/dev/null) ||
			die "$(short "$series/$name.msg") is missing"
	fi
	find "$series_work/git" -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +
	cp -r "$kernel/." "$series_work/ours/$k/." "$series_work/git/"
	series_generated "$series_work/ours/$k" "$series_work/git"
	series_commit --cleanup=verbatim -m "$message"
}

# What git am would make the message.
series_message_of()
{
	sed -n '/^Subject: /{s/^Subject: \(\[[^]]*\] \)\?//;p}' "$1"
	sed -n '/^$/,/^---$/{/^---$/!p}' "$1"
}

series_make()
{
	local k n=${#patches[@]}

	say "$n patches ..."
	rm -rf "$series_work"
	mkdir -p "$series_work/ours"
	series_ours "$series_work/ours/$n" "$series_source"
	series_cut_down "$series_work/ours"
	series_base
	for ((k = 1; k <= n; k++)); do
		series_stage "$k"
	done
	series_format
}

series_format()
{
	local bench_run check_run text

	rm -rf "$series_out.new"
	bench_run=$(series_run bench)
	check_run=$(series_run check)
	text=$(series_cover)
	series_git config branch.series.description "$text"
	series_git format-patch -q -o "$series_out.new" --zero-commit --no-signature \
		--cover-letter --cover-from-description=subject -M "HEAD~${#patches[@]}"
	series_git format-patch -q --stdout --zero-commit --no-signature -M \
		"HEAD~${#patches[@]}" >"$series_out.new/series.mbox"
	rm -rf "$series_out"
	mv "$series_out.new" "$series_out"
	say "$(short "$series_out"): for the list, and git am -s $(short "$series_out")/series.mbox"
}

# What "make readme" has put between the marks <!-- NAME -->: what a clone has of a run.
series_figures()
{
	sed -n "/^<!-- $1 -->\$/,/^<!-- \/$1 -->\$/{/^<!--/!s/^    //p}" "$top/README.md" |
		grep . ||
		die "README.md has no figures of 'make $1': run it, then 'make readme', and commit"
}

# Which run that was: the newest commit that has put a line there.
series_run()
{
	local commit

	commit=$(series_our_git blame --porcelain \
		-L "/^<!-- $1 -->/,/^<!-- \/$1 -->/" -- README.md |
		awk 'length($1) == 40 { commit = $1 } /^author-time / { print $2, commit }' |
		sort -rn | awk '{ print $2; exit }')
	[ "${commit//0/}" != '' ] ||
		die "README.md has figures of 'make $1' that are not committed: commit them first"
	series_our_git log -1 --date=short \
		--format='recorded on %ad by commit %h' "$commit"
}

# The columns that say how it is to mainline, and not what depends on the host.
series_bench()
{
	series_figures bench | awk '
		/^ *mainline/ { print substr($0, 1, 81); next }
		/ targets are met\.$/ { next }
		/^[^ ]/ { host = /^Throughput|throughput/ }
		host { next }
		match($0, /\([<>]=[^)]*\)/) && RSTART < 87 {
			print substr($0, 1, RSTART + RLENGTH - 1)
			next
		}
		{ print substr($0, 1, 77) }' |
		sed 's/[[:space:]]*$//'
}

# The number of the patch whose name begins so.
series_number()
{
	local k

	for k in "${!patches[@]}"; do
		[[ ${patches[k]##*/} != "$1"* ]] || { echo "$((k + 1))"; return; }
	done
	die "series.d/cover.msg: there is no patch '$1'"
}

series_cover()
{
	local line number

	while IFS= read -r line; do
		case $line in
		@BENCH@) series_bench || exit ;;
		@CHECK@) series_figures check || exit ;;
		*)
			line=${line//@BENCH_RUN@/$bench_run}
			line=${line//@CHECK_RUN@/$check_run}
			while [[ $line =~ @([a-z0-9-]+)@ ]]; do
				number=$(series_number "${BASH_REMATCH[1]}") || exit
				line=${line//"${BASH_REMATCH[0]}"/$number}
			done
			printf '%s\n' "$line" ;;
		esac
	done <"$series/cover.msg"
}
