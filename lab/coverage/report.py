#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""report.py STAGE ORIGINAL RESULTS PART...: add up what gcov counted, and judge it.

STAGE has our sources and their notes (.gcno), ORIGINAL the kernel's target_core_user.c, and
RESULTS/PART/guest/out/gcov the counts of a guest (.gcda). Prints what is wrong. Runs in the
root of tools, and writes to RESULTS:

    table       a line for each file
    missed      lines and branches that were not reached
    annotated/  our sources; each line has its count, and those of its branches
"""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
MIN_LINES = 99.5
MIN_BRANCHES = 95.0
TARGET = "drivers/target/target_core_user.c"

# Branches in these macros of the kernel are not ours, and gcov can't tell them apart.
MACROS = re.compile(r"\b(WARN_ON|WARN_ON_ONCE|lockdep_assert_held|kfree_rcu|kfree_rcu_mightsleep|"
                    r"wait_var_event|\w+_ratelimited|guard|scoped_guard|test_bit|ilog2|"
                    r"memcmp|pgprot_noncached)\(")


class Source:
    """One of our files, and how often its lines and branches ran."""

    def __init__(self, path):
        self.text = path.read_text().splitlines()
        self.lines = collections.Counter()
        self.function = {}
        # the same function can be in several objects, if it is in a header
        self.by_function = collections.defaultdict(lambda: collections.defaultdict(int))

    def add(self, line):
        nr, function = line["line_number"], line.get("function_name", "?")
        self.lines[nr] += line["count"]
        self.function[nr] = function
        counts = [branch["count"] for branch in line["branches"]]
        for i, count in enumerate(counts):
            self.by_function[nr][function, len(counts), i] += count

    def code(self, nr):
        return self.text[nr - 1].strip()

    def branches(self, nr):
        return [] if MACROS.search(self.code(nr)) else list(self.by_function[nr].values())

    def keep(self, lines):
        self.lines = collections.Counter({nr: n for nr, n in self.lines.items() if nr in lines})

    def missed(self):
        return sorted(nr for nr, count in self.lines.items() if not count)

    def totals(self):
        """Lines that ran, lines, branches that ran, branches."""
        branches = [count for nr in self.lines for count in self.branches(nr)]
        return (len(self.lines) - len(self.missed()), len(self.lines),
                sum(count > 0 for count in branches), len(branches))


def run_gcov(stage, counts):
    """What gcov says of each object, with the .gcda files of a directory or, if None, none."""
    with tempfile.TemporaryDirectory() as work:
        notes = [pathlib.Path(work, note.name) for note in stage.glob("drivers/*/*.gcno")]
        for note in stage.glob("drivers/*/*.gcno"):
            pathlib.Path(work, note.name).symlink_to(note)
        for data in counts.glob("*.gcda") if counts else ():
            pathlib.Path(work, data.name).symlink_to(data)
        done = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities",
                               *notes], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, cwd=work)
    if done.returncode or "mismatch" in done.stderr:
        sys.exit(f"the counts in {counts} are not of the modules in {stage}: run this part "
                 f"again\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def changed_lines(original, ours):
    """Numbers of the lines in OURS that ORIGINAL does not have."""
    done = subprocess.run(["diff", "--old-line-format=", "--unchanged-line-format=",
                           "--new-line-format=%dn ", original, ours],
                          stdout=subprocess.PIPE, text=True)
    return {int(nr) for nr in done.stdout.split()}


def read_sources(stage, original, results, parts):
    sources = {}
    for counts in [None, *(results / part / "guest/out/gcov" for part in parts)]:
        for unit in run_gcov(stage, counts):
            for file in unit["files"]:
                path = pathlib.Path(unit["current_working_directory"], file["file"])
                name = os.path.relpath(path, stage)
                if name != TARGET and not name.startswith(("drivers/uio/", "include/")):
                    continue
                source = sources.setdefault(name, Source(stage / name))
                for line in file["lines"]:
                    source.add(line)
    sources[TARGET].keep(changed_lines(original / "target_core_user.c", stage / TARGET))
    return dict(sorted(sources.items()))


def read_reasons():
    """Lists of file, function, a part of the line, and why it is not reached."""
    for line in (HERE / "not-reached").read_text().splitlines():
        if line and not line.startswith("#"):
            where, code, reason = line.split(": ", 2)
            yield *where.split(":"), code, reason


def explain(sources, reasons):
    """The reason of each missed line, and the reasons that fit none."""
    why, unused = {}, []
    for name, function, code, reason in reasons:
        source = sources.get(name)
        fits = [nr for nr in source.missed() if source.function[nr] == function and
                code in source.code(nr)] if source else []
        why.update(((name, nr), reason) for nr in fits)
        if not fits:
            unused.append(f"{name}:{function}: {code}")
    return why, unused


def percent(ran, of):
    return 100 * ran / of if of else 100.0


def table(sources):
    rows = [(os.path.basename(name) + (", our lines" if name == TARGET else ""), source.totals())
            for name, source in sources.items() if source.lines]
    rows.append(("all", [sum(column) for column in zip(*(totals for _, totals in rows))]))
    yield f"{'':<31} {'lines':>22}{'branches':>24}"
    for name, (ran, of, taken, branches) in rows:
        yield (f"{name:<31} {ran:>5} of {of:>4} {percent(ran, of):>6.1f} %"
               f"{taken:>7} of {branches:>4} {percent(taken, branches):>6.1f} %")


def missed(sources, why):
    for name, source in sources.items():
        for nr in source.missed():
            yield (f"{name}:{nr}: {source.function[nr]}: {source.code(nr)}: "
                   f"{why.get((name, nr), 'no reason is given')}")
    for name, source in sources.items():
        for nr in sorted(source.lines):
            counts = source.branches(nr)
            if source.lines[nr] and 0 in counts:
                yield f"{name}:{nr}: {counts.count(0)} of {len(counts)} branches: {source.code(nr)}"


def annotated(source):
    for nr, text in enumerate(source.text, 1):
        count = source.lines.get(nr)
        yield f"{'' if count is None else count or '#####':>12}: {nr:>4}: {text}"
        if count and source.branches(nr):
            yield f"{'':>12}  branches: {' '.join(map(str, source.branches(nr)))}"


def write(path, lines):
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def problems(sources, why, unused):
    ran, of, taken, branches = (sum(column) for column in
                                zip(*(source.totals() for source in sources.values())))
    if percent(ran, of) < MIN_LINES:
        yield f"{ran} of {of} lines are reached: there have to be {MIN_LINES} %"
    if percent(taken, branches) < MIN_BRANCHES:
        yield f"{taken} of {branches} branches are reached: there have to be {MIN_BRANCHES} %"
    for name, source in sources.items():
        for nr in source.missed():
            if (name, nr) not in why:
                yield (f"{name}:{nr}: {source.function[nr]}: not reached, and no reason is "
                       f"given: {source.code(nr)}")
    for line in unused:
        yield f"{line}: it is reached, or gone: remove its reason"


def main():
    stage, original, results = (pathlib.Path(arg).resolve() for arg in sys.argv[1:4])
    ran = [part for part in sys.argv[4:] if (results / part / "guest/out/gcov").is_dir()]
    sources = read_sources(stage, original, results, ran)
    why, unused = explain(sources, read_reasons())
    lines = list(table(sources))
    if why:
        lines += ["", "Not reached:"]
        lines += [f"{os.path.basename(name)}, {sources[name].function[nr]}: "
                  f"{sources[name].code(nr)}  {reason}" for (name, nr), reason in why.items()]
    write(results / "table", lines)
    write(results / "missed", missed(sources, why))
    for name, source in sources.items():
        write(results / "annotated" / os.path.basename(name), annotated(source))
    if len(ran) < len(sys.argv[4:]):
        print(f"nothing is judged: only these parts have run: {' '.join(ran)}")
        sys.exit(4)
    wrong = list(problems(sources, why, unused))
    if wrong:
        sys.exit("\n".join(wrong))


main()
