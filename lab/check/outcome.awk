# SPDX-License-Identifier: GPL-2.0
# Reads the expectations, and then tests, one "PROGRAM TEST" in each line. Prints each test
# with its outcome for the variables modules and kernel.

function regex(glob)
{
	gsub(/\./, "\\.", glob)
	gsub(/\*/, ".*", glob)
	return "^" glob "$"
}

NR == FNR {
	if (/^(#|$)/ || modules !~ regex($1) || kernel !~ regex($2))
		next
	outcome[++n] = $3
	program[n] = regex($4)
	test[n] = regex($5)
	next
}

{
	what = "pass"
	for (i = 1; i <= n; i++)
		if ($1 ~ program[i] && $2 ~ test[i]) {
			what = outcome[i]
			break
		}
	print $1, $2, what
}
