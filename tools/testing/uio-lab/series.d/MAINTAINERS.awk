# SPDX-License-Identifier: GPL-2.0
# The list of our files in a stage, our MAINTAINERS, the kernel's: prints the kernel's
# with our entry, as far as its files are there. WHO is its M: line.

function there(pattern,   i)
{
	gsub(/[.+]/, "\\\\&", pattern)
	gsub(/\*/, "[^/]*", pattern)
	pattern = "^" pattern (pattern ~ /\/$/ ? "" : "$")
	for (i = 1; i <= files; i++)
		if (file[i] ~ pattern)
			return 1
	return 0
}

FILENAME == ARGV[1] {
	file[++files] = $0
	next
}

FILENAME == ARGV[2] {
	if ($0 == title)
		mine = 1
	else if (/^$/)
		mine = 0
	else if (mine && !/^F:/)
		rest = rest $0 "\n"
	else if (mine && there($2))
		patterns = patterns $0 "\n"
	next
}

# the first heading that comes after it
patterns != "" && /^U/ && $0 > title && empty {
	printf "%s\nM:\t%s\n%s%s\n", title, who, rest, patterns
	patterns = ""
}

{
	print
	empty = $0 == ""
}

BEGIN {
	title = "UIO LATE RELEASE"
}
