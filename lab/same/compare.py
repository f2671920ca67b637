#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""compare.py RESULTS KERNEL TEST...: compare the facts of mainline and of ours in RESULTS.

Prints KTAP, and writes all differences to RESULTS/diff, each with its row of the table of
deviations. A test is the name of a group of facts, or "table", which checks that each row of
the table is needed. A row is

       * - ``FACTS`` ``FACTS``...
         - ``VALUES``
         - ``VALUES``
         - why

with patterns for facts, for mainline's values and for ours. * matches anything. A fact that
only one side has is "absent" on the other. If a row is for one kernel only, "(KERNEL)"
follows its FACTS.
"""

import collections
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
TABLE = TOP / "Documentation/deviations.rst"
SIDES = "mainline", "ours"


def read_lines(path):
    # values can contain any bytes, because they come from a device
    with open(path, errors="backslashreplace", newline="\n") as lines:
        return [line.removesuffix("\n") for line in lines]


# ---- the table of deviations


def patterns(cell):
    return [re.compile(".*".join(map(re.escape, glob.split("*"))))
            for glob in re.findall("``([^`]+)``", cell)]


class Row:
    def __init__(self, facts, mainline, ours, reason):
        self.title, self.reason, self.used = facts.replace("``", ""), reason, False
        only = re.search(r"\(([0-9.]+)\)", facts)
        self.kernel = only[1] if only else ""
        self.facts = patterns(facts)
        # a cell without a pattern stands for an empty value
        self.values = [[*patterns(cell), re.compile("")][0] for cell in (mainline, ours)]

    def has(self, name, values):
        return (any(fact.fullmatch(name) for fact in self.facts) and
                all(map(re.Pattern.fullmatch, self.values, values)))


def read_table():
    """The cells of each row."""
    rows, inside = [], False
    for line in read_lines(TABLE):
        if line.startswith("   * - "):
            rows.append([])
            inside = True
        if inside and re.match(r"   [* ] -", line):
            rows[-1].append(line[7:])
        elif inside and line.startswith("       "):
            rows[-1][-1] += " " + line[7:]
        else:
            inside = False
    return rows


class Table:
    def __init__(self, kernel):
        cells = read_table()
        self.incomplete = [row for row in cells if len(row) != 4]
        # the first row has the titles of the columns
        rows = [Row(*row) for row in cells if len(row) == 4 and "``" in row[0]]
        self.rows = [row for row in rows if kernel.startswith(row.kernel)]

    def row_of(self, name, values):
        """The row that allows this difference."""
        for row in self.rows:
            if row.has(name, values):
                row.used = True
                return row
        return None

    def test(self):
        """Why its test fails, and notes."""
        why, notes = "", []
        for row in self.incomplete:
            why = "the table has incomplete rows"
            notes.append(f"this row has {len(row)} cells, not 4: {''.join(row[:1])}")
        for row in self.rows:
            if not row.used:
                why = "the table has rows that are not needed"
                notes.append(f"this row matches no difference, remove it: {row.title}")
            if not re.search("[a-z]", row.reason):
                why = "the table has rows without a reason"
                notes.append(f"this row has no reason: {row.title}")
        return why if self.rows else "there is no table", notes


# ---- facts


class Facts:
    def __init__(self, results):
        # [mainline's, ours] of each name
        self.values = {}
        # a note for each error in a group
        self.notes = collections.defaultdict(list)
        for number, side in enumerate(SIDES):
            for line in read_lines(results / f"{side}.facts"):
                name, _, value = line.partition(" = ")
                values = self.values.setdefault(name, [None, None])
                if values[number] is None:
                    values[number] = value
                else:
                    self.note(name, f"{side} has two facts of this name: {line}")
        for values in self.values.values():
            values[:] = ("absent" if value is None else value for value in values)

    def note(self, name, text):
        self.notes[name.partition("/")[0]].append(text)

    def compare(self, table, diff):
        for name, (mainline, ours) in self.values.items():
            if mainline == ours:
                continue
            row = table.row_of(name, (mainline, ours))
            diff.write(f"{name}\n\tmainline\t{mainline}\n\tours\t\t{ours}\n"
                       f"\tallowed\t\t{row.title if row else 'no'}\n")
            if not row:
                self.note(name, f"{name}: mainline {mainline}, ours {ours}")

    def test(self, group, diff):
        """Why the test of a group fails, and notes."""
        ends = self.values.get(f"{group}/ended")
        notes = self.notes[group]
        why = ""
        if not ends:
            why = "the probe has no such group, or died before it: see the guest's log"
        elif ends != ["status 0", "status 0"]:
            why = "the probe ended: on mainline {}, on ours {}".format(*ends)
        elif notes:
            count = sum(name.startswith(f"{group}/") for name in self.values)
            why = (f"{len(notes)} of {count} facts differ and have no row in the table, or are "
                   f"there twice: see {diff}")
        return why, notes[:10]


def main(results, kernel, *tests):
    results = pathlib.Path(results)
    table, facts = Table(kernel), Facts(results)
    diff = results / "diff"
    with open(diff, "w") as file:
        facts.compare(table, file)
    print(f"KTAP version 1\n1..{len(tests)}")
    failed = 0
    for number, test in enumerate(tests, 1):
        why, notes = (table.test() if test == "table" else
                      facts.test(test, diff.relative_to(TOP)))
        for note in [*notes, why] if why else notes:
            print(f"# {note}")
        print(f"{'not ok' if why else 'ok'} {number} {test}")
        failed += bool(why)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
