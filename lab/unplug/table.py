#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A table of the unplug suite: a row for each scenario, and a column for each run.

Reads the KTAP of each run, after the line "==> .../RUN/unplug.tap <==", which tail -v prints.
A cell has the longest delete of the scenario. The end of the table says how long all took,
and why scenarios failed.
"""

import re
import sys


class Run:
    def __init__(self, name):
        self.name, self.seconds, self.cells, self.reasons = name, 0, {}, []
        self.forget()

    def forget(self):
        self.deletes, self.reason = [], ""

    def read(self, line):
        if found := re.match(r"# FAILED: (.*)", line):
            self.reason = found[1]
        elif found := re.match(r"Bail out! (.*)", line):
            self.reasons.append(f"{self.name}: {found[1]}")
        elif found := re.match(r"# took (\d+) s", line):
            self.seconds += int(found[1])
        elif found := re.match(r"# delete took (\d+) ms", line):
            self.deletes.append(int(found[1]))
        elif found := re.match(r"(not )?ok \d+ (\S+)( # SKIP)?", line):
            self.result(*found.groups())
            self.forget()

    def result(self, failing, name, skipped):
        if failing:
            self.cells[name] = "FAILS"
            self.reasons.append(f"{name}, {self.name}: {self.reason}")
        elif skipped:
            self.cells[name] = "skipped"
        else:
            self.cells[name] = f"ok, {max(self.deletes)} ms" if self.deletes else "ok"


def print_row(title, cells):
    print(f"{title:28}", *(f"{cell:18}" for cell in cells), sep=" | ")


def main():
    runs = []
    for line in sys.stdin:
        if found := re.match(r"==> .*?([^/]+)/unplug.tap <==", line):
            runs.append(Run(found[1]))
        else:
            runs[-1].read(line)
    print_row("scenario", [run.name for run in runs])
    for name in dict.fromkeys(name for run in runs for name in run.cells):
        print_row(name, [run.cells.get(name, "-") for run in runs])
    print_row("all of them", [f"{run.seconds} s" for run in runs])
    reasons = [reason for run in runs for reason in run.reasons]
    if reasons:
        print("", *reasons, sep="\n")


if __name__ == "__main__":
    main()
