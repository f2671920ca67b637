# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Which files are ours.

# Print the paths of all files that git tracks or does not ignore. An archive of the sources
# has no git.
source_files()
{
	local file

	{
		git -c safe.directory="$PWD" ls-files --cached --others \
			--exclude-standard 2>/dev/null ||
			find . \( -path ./build -o -path ./results \) -prune \
				-o -type f -printf '%P\n'
	} | sort -u | while IFS= read -r file; do
		[ ! -f "$file" ] || printf '%s\n' "$file"
	done
}
