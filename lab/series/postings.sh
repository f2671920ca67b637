# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The postings: postings/order has their names, in the order in which they are sent, each with
# those that it needs. postings/NAME has the patches, or the file "patches" with patterns of
# their paths; and the file "cover": the subject of the cover letter, an empty line, and the text.
#
# Code of the kernel is not copied here, and our own code is here already. So besides a diff, a
# patch can have these lines below its "---":
#
#	Whole: PATTERN		our files that come with this patch, as a whole
#	Delete: FILE RANGE	what sed deletes from a file of the kernel
#
# A file of ours comes as it is here, but without what later patches add to it: their hunks for
# this file are taken back. All other hunks are for files of the kernel.

# shellcheck source=../core/files.sh
. "$lab/core/files.sh"

# the kernel that they are made for
series_kernel=7.3
mapfile -t postings < <(awk '!/^(#|$)/ { print $1 }' "$top/postings/order")

# The postings that this one needs, in order.
needed_by()
{
	local name

	awk -v name="$1" '$1 == name { for (i = 2; i <= NF; i++) print $i }' "$top/postings/order" |
		while read -r name; do
			needed_by "$name"
			echo "$name"
		done | awk '!seen[$0]++'
}

patches_of_posting()
{
	local pattern dir=$top/postings/$1

	if [ ! -e "$dir/patches" ]; then
		printf '%s\n' "$dir"/*.patch
		return
	fi
	while read -r pattern; do
		compgen -G "$top/$pattern" || die "postings/$1/patches: no file matches $pattern"
	done < <(grep -Ev '^(#|$)' "$dir/patches")
}

# The notes of a patch: the lines between "---" and the diff.
notes_of()
{
	sed -n '/^---$/,/^\(--- \|diff \)/{/^---$/d;/^\(--- \|diff \)/d;p}' "$1"
}

# The files that come as a whole with a patch.
whole_files_of()
{
	local pattern file

	while read -r _ pattern; do
		while IFS= read -r file; do
			# shellcheck disable=SC2053 # a pattern
			[[ $file != $pattern ]] || printf '%s\n' "$file"
		done <<<"$sent_files"
	done < <(notes_of "$1" | grep '^Whole: ')
}

# Our files that are sent: postings/not-sent has patterns of those that are not.
read_sent_files()
{
	local not

	not=$(awk '!/^(#|$)/ { gsub(/\./, "\\."); gsub(/\*/, ".*"); print "^" $1 "$" }' \
		"$top/postings/not-sent")
	sent_files=$(cd "$top" && source_files |
		grep -E '^(Documentation|drivers|include|samples|tools)/' | grep -Ev "$not")
}

# git with a committer, who is only needed until somebody sends the patches
commit_in()
{
	git -c user.name=lab -c user.email=lab@localhost -C "$@"
}

# Take the hunks of a patch back from our files that are in the repository.
take_back()
{
	local -a files

	mapfile -t files < <(git -C "$ours" ls-files)
	[ "${#files[@]}" -eq 0 ] ||
		git -C "$ours" apply -R --allow-empty "${files[@]/#/--include=}" "$1" ||
		die "$(short "$1") does not fit our files (see above)"
}

# Make a repository with a tag for each patch: our files as they are after it. The last patch is
# taken back first.
make_ours()
{
	local name patch
	local -a all=() files

	ours=$work/ours
	read_sent_files
	git init -q "$ours"
	for name in "${postings[@]}"; do
		mapfile -t -O "${#all[@]}" all < <(patches_of_posting "$name")
	done
	for patch in "${all[@]}"; do
		whole_files_of "$patch"
	done | sort | (cd "$top" && xargs cp --parents -t "$ours")
	git -C "$ours" add -A
	take_back "$top/postings/not-sent.patch"
	while [ "${#all[@]}" -gt 0 ]; do
		patch=${all[-1]}
		unset 'all[-1]'
		git -C "$ours" add -A
		commit_in "$ours" commit -q --allow-empty -m "$patch"
		git -C "$ours" tag "$(short "$patch")"
		mapfile -t files < <(whole_files_of "$patch")
		[ "${#files[@]}" -eq 0 ] || git -C "$ours" rm -q "${files[@]}"
		take_back "$patch"
	done
}

# Delete what the patch says, and empty lines that are then next to each other.
delete_ranges()
{
	local dir=$1 file range

	while read -r _ file range; do
		sed "${range}d" "$dir/$file" | cat -s >"$dir/new"
		! cmp -s "$dir/$file" "$dir/new" || die "$file has no '$range' to delete"
		mv "$dir/new" "$dir/$file"
		[ -s "$dir/$file" ] || rm "$dir/$file"
	done < <(notes_of "$2" | grep '^Delete: ')
}

# The files that a patch changes, as far as they are ours.
our_files_of()
{
	comm -12 <(git -C "$ours" ls-tree -r --name-only "$(short "$1")" | sort) \
		<({ sed -n 's,^+++ b/,,p' "$1"; whole_files_of "$1"; } | sort -u)
}

# Apply a patch to the repository in DIR, and commit it.
apply_one()
{
	local dir=$1 patch=$2 mail=$work/mail author
	local -a files

	git -C "$dir" mailinfo "$mail" /dev/null <"$patch" >"$mail.info"
	author=$(sed -n 's/^Author: //p; s/^Email: \(.*\)/<\1>/p' "$mail.info")
	delete_ranges "$dir" "$patch"
	mapfile -t files < <(our_files_of "$patch")
	git -C "$dir" apply --allow-empty "${files[@]/#/--exclude=}" "$patch" || return
	[ "${#files[@]}" -eq 0 ] ||
		git -C "$ours" archive "$(short "$patch")" "${files[@]}" | tar -x -C "$dir"
	git -C "$dir" add --sparse -A
	{
		sed -n 's/^Subject: //p' "$mail.info"
		echo
		cat "$mail"
	} | commit_in "$dir" commit -q -F - --author="${author/$'\n'/ }"
	notes_of "$patch" | sed '/^Whole: \|^Delete: /d' |
		commit_in "$dir" notes add -F - 2>/dev/null
}

# Write commits as git send-email takes them. The rest goes to git.
format_mails()
{
	commit_in "$1" format-patch -q --notes -M100% "${@:2}"
}

# Apply all patches of the posting.
apply_posting()
{
	local posting=$1 dir=$2 patch

	while IFS= read -r patch; do
		apply_one "$dir" "$patch" || die "$(short "$patch") does not apply (see above)"
	done < <(patches_of_posting "$posting")
}

# The kernel's files that a posting and those before it change, as far as they exist.
files_changed_by()
{
	local name patch

	for name in $(needed_by "$1") "$1"; do
		while IFS= read -r patch; do
			sed -n 's,^--- a/,,p; s,^rename from ,,p' "$patch"
			whole_files_of "$patch"
		done < <(patches_of_posting "$name")
	done | sort -u
}

# Make a repository of DIR with these files.
copy_source()
{
	local posting=$1 source=$2 dir=$3 file

	mkdir -p "$dir"
	while read -r file; do
		[ ! -e "$source/$file" ] || install -D -m 644 "$source/$file" "$dir/$file"
	done < <(files_changed_by "$posting")
	git -C "$dir" init -q
	git -C "$dir" add .
	commit_in "$dir" commit -q -m "the source of Debian's kernel"
}

apply_needed()
{
	local name

	for name in $(needed_by "$1"); do
		apply_posting "$name" "$2"
	done
}

# Set up the whole source of the kernel that they are made for. It need not be compiled.
setup_whole_source()
{
	series_source=$(kernel_dir "$series_kernel-debug")/source
	setup_base
	once "$build/kernel-$series_kernel-debug.lock" done_already download_step \
		"source-$series_kernel-debug"
}
