# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The postings: folders of postings/, each with patches and the file "cover". Its first line is
# the subject of the cover letter, and the rest, after an empty line, is the text.

postings=("$top"/postings/*/)
postings=("${postings[@]%/}")
postings=("${postings[@]##*/}")
# the kernel that they are made for
series_kernel=7.3

# The files that a posting changes, in the source of the kernel.
files_changed_by()
{
	sed -n 's,^+++ b/,,p' "$top/postings/$1"/*.patch | sort -u
}

# Make a repository of DIR with these files of that kernel.
start_repository()
{
	local posting=$1 kernel=$2 dir=$3 file

	mkdir -p "$dir"
	while read -r file; do
		install -D -m 644 "$(kernel_dir "$kernel")/source/$file" "$dir/$file"
	done < <(files_changed_by "$posting")
	git -C "$dir" init -q
	git -C "$dir" add .
	commit_in "$dir" commit -q -m "the source of Debian's $kernel"
}

# git with a committer, who is only needed until somebody sends the patches
commit_in()
{
	git -c user.name=lab -c user.email=lab@localhost -C "$@"
}

# The lines below "---" are notes: git am drops them.
add_note()
{
	sed -n '/^---$/,/^--- /{/^---/d;p}' "$2" | commit_in "$1" notes add -F - 2>/dev/null
}

# Apply all patches of the posting to the repository in DIR.
apply_posting()
{
	local posting=$1 dir=$2 patch

	for patch in "$top/postings/$posting"/*.patch; do
		commit_in "$dir" am -q "$patch" || return
		add_note "$dir" "$patch"
	done
}
