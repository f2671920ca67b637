#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The results of the jobs of check.

report.py job DIR NAME KIND MODULES NUMBER ALL
    Read what the job NAME has left in DIR (see run.sh). Print the tests that did not do
    what they have to, and the job's own line of KTAP. Leave in DIR
        full    KTAP of all its tests
        counts  how many passed, failed, were skipped
        found   a record for each test, for the comparison
        record  the totals. If ALL tests of the job have run, results/jobs keeps it for the
                results page
report.py compare RESULTS KERNEL...
    Print a table with a row for each row of check/rows, on mainline and on ours. A debug kernel's
    results count for its series.
report.py jobs RESULTS
    Print a table of the jobs of the last run.

check/expectations says what each test has to do, and explains the outcomes.
"""

import collections
import fnmatch
import json
import pathlib
import re
import shutil
import sys

HERE = pathlib.Path(__file__).parent
KEPT = pathlib.Path("results/jobs")
# notes: the messages of a test that fails
Found = collections.namedtuple("Found", "program test outcome result what notes")

# ---- reading


def words_of(note):
    """A message of the harness, without its file, line and test."""
    return re.sub(r"^# [^:]*:\d+:[^:]*:", "", note)


class Reader:
    """Reads the output of test programs, each between "== PROGRAM" and "== end"."""

    def __init__(self, todo):
        self.outcomes = todo
        self.found = {}
        self.program = None
        self.forget()

    def forget(self):
        self.notes, self.what, self.expected = [], "", ""

    def note(self, line):
        self.notes.append(line)
        text = words_of(line)
        if line.startswith("# FAILED: "):
            self.what = line[len("# FAILED: "):]
        elif re.search(r"[Tt]est terminated by timeout", text):
            self.what = "hangs"
        elif text.startswith("Expected "):
            self.expected = self.expected or text
        elif not self.what and not text.startswith("#"):
            self.what = text

    def result(self, failing, name, rest):
        key = (self.program, name)
        if key not in self.outcomes:
            return
        # if a test runs several times, its first failure counts
        if key in self.found and (not failing or self.found[key].result == "fail"):
            return
        skip = re.search(r"# SKIP (.*)", rest)
        # the lab has all that a test needs
        failing = failing or bool(skip and skip[1].startswith("needs root"))
        result = "fail" if failing else "skip" if skip else "pass"
        what = skip[1] if skip else self.what or self.expected
        self.found[key] = Found(*key, self.outcomes[key], result, what,
                                self.notes if failing else [])
        self.forget()

    def line(self, line):
        end = re.match(r"(not )?ok \d+ (\S+)(.*)", line)
        if line.startswith("== "):
            self.program = None if line == "== end" else line.split()[1]
        elif end:
            self.result(bool(end[1]), end[2], end[3])
        elif re.match(r"# +(RUN|OK|FAIL)\b(?!ED)", line):
            if line.split()[1] == "RUN":
                self.forget()
        elif line.startswith("# "):
            self.note(line)


def read_lines(path):
    try:
        return path.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def find(directory):
    """The results of the tests of todo, in the order in which they ended."""
    todo = {}
    for line in read_lines(directory / "todo"):
        program, test, outcome = line.split()
        todo[program, test] = outcome
    reader = Reader(todo)
    for line in read_lines(directory / "output"):
        reader.line(line)
    # the first test without a result is the one where the guest stopped
    return [*reader.found.values(),
            *(Found(*key, outcome, "none", "did not run to its end", [])
              for key, outcome in todo.items() if key not in reader.found)]


SPLATS = (
    (r"BUG: KASAN: (.*?) in (?:.* in )?([^ +]*)\+?", "KASAN: {0} in {1}"),
    (r"refcount_t: ([^;.]*)", "refcount_t: {0}"),
    (r"possible circular locking", "lockdep: circular locking"),
    (r"possible recursive locking", "lockdep: recursive locking"),
    (r"Bad page state", "bad page state"),
    (r"[Bb]ad page map", "bad page map"),
    (r"Bad rss-counter", "bad page count of a process"),
    (r"cannot create duplicate filename", "duplicate name in sysfs"),
    (r"kernel BUG at ([^!]*)", "BUG at {0}"),
    (r"blocked for more than", "hung task"),
)
# another line of the log says where
OOPS = r"BUG: kernel NULL pointer|BUG: unable to handle|general protection fault|Oops: "


def first_splat(console):
    """The kernel's first complaint, in one line."""
    kind = None
    for line in read_lines(console):
        for pattern, words in SPLATS:
            match = re.search(pattern, line)
            if match:
                return words.format(*match.groups())
        if re.search(OOPS, line):
            kind = "oops"
        elif "WARNING: " in line:
            kind = kind or "WARN"
        where = re.search(r"RIP: \d+:([^+]*)", line)
        if kind and where:
            return f"{kind} in {where[1]}"
    return "oops" if kind == "oops" else ""


def find_alone(directory):
    """The results of a test with a guest of its own: the kernel's complaints count, too."""
    splat = first_splat(directory / "guest/console.log")
    if not splat and read_lines(directory / "status") == ["255"]:
        splat = "the kernel hangs"
    for found in find(directory):
        if splat:
            result = found.result if found.outcome == "report" else "bad"
            found = found._replace(result=result, what=splat)
        yield found


def find_all(directory, kind):
    if kind != "alone":
        return find(directory)
    guests = sorted((path for path in directory.iterdir() if path.name.isdigit()),
                    key=lambda path: int(path.name))
    return [found for guest in guests for found in find_alone(guest)]


# ---- judging

WRONG = {
    "fail": "has to fail here, and did not: ",
    "alone": "has to fail or to make the kernel complain here, and did not: ",
    "report": "has to pass with a report by lockdep, and did not: ",
}


def is_good(found):
    if found.outcome == "fail":
        return found.result == "fail"
    if found.outcome == "alone":
        return found.result in ("fail", "bad")
    if found.outcome == "report":
        return found.result == "pass" and found.what.startswith("lockdep: ")
    return found.result == "pass"


def lacks_contexts(found, modules):
    """Mainline can't run such a test, so it does not count."""
    return (found.result == "skip" and modules != "ours" and
            "no contexts" in found.what and
            (found.outcome == "pass" or not re.search(r"\.d\d+_", found.test)))


class Job:
    def __init__(self, directory, name, kind, modules):
        self.directory, self.name, self.kind = directory, name, kind
        self.passed = self.failed = self.skipped = self.unrun = 0
        self.full, self.bad = [], []
        self.found = find_all(directory, kind)
        for found in self.found:
            if not lacks_contexts(found, modules):
                self.judge(found)
        if self.unrun > 1:
            self.bad.append(f"    # and {self.unrun - 1} more that did not run")
        self.trouble = self.find_trouble()
        self.failed += bool(self.trouble)

    def judge(self, found):
        name = f"{self.passed + self.failed + self.skipped + 1} {found.program} {found.test}"
        if found.outcome == "pass" and found.result == "skip":
            self.skipped += 1
            self.full.append(f"    ok {name} # SKIP {found.what}")
        elif is_good(found):
            self.passed += 1
            why = "" if found.outcome == "pass" else f" # {found.what}"
            self.full.append(f"    ok {name}{why}")
        else:
            self.failed += 1
            lines = [f"    not ok {name}",
                     f"    # {WRONG.get(found.outcome, '')}{found.result}: {found.what}",
                     *("    " + note for note in found.notes)]
            self.full += lines
            # if a guest stopped early, one of its missing tests is enough
            is_one_more = found.result == "none" and self.kind == "guest" and self.unrun
            self.unrun += found.result == "none" and self.kind == "guest"
            self.bad += [] if is_one_more else lines

    def find_trouble(self):
        """Why the whole job failed."""
        if self.kind == "alone":
            return []
        status = int(read_lines(self.directory / "status")[0])
        if status == 0 or self.kind == "host" and status == 1:
            return []
        what = "the guest failed" if self.kind == "guest" else "it failed"
        return [f"    # {what}, status {status}",
                *("    # " + line for line in read_lines(self.directory / "log"))]

    def cpu_seconds(self):
        """The CPU time of its children, from the output of bash's times."""
        times = re.findall(r"(\d+)m([\d.]+)s", read_lines(self.directory / "times")[1])
        return int(sum(int(minutes) * 60 + float(seconds) for minutes, seconds in times))

    def line(self, number):
        counts = f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"
        seconds = read_lines(self.directory / "seconds")[0]
        return (f"{'not ok' if self.failed else 'ok'} {number} {self.name} # {counts}, "
                f"{seconds} s, {self.cpu_seconds()} s of CPU")


def report_job(directory, name, kind, modules, number, number_of_all):
    job = Job(directory, name, kind, modules)
    full = ["    KTAP version 1", f"    1..{job.passed + job.failed + job.skipped}", *job.full]
    line = job.line(number)
    (directory / "full").write_text("\n".join([*full, *job.trouble, line]) + "\n")
    (directory / "counts").write_text(f"{job.passed} {job.failed} {job.skipped}\n")
    (directory / "found").write_text(json.dumps(job.found))
    keep(job, int(number_of_all))
    print("\n".join([*job.trouble, *job.bad, line]))


def keep(job, number_of_all):
    """Later runs do not remove what is kept. deb-check has its own jobs."""
    if job.directory.parents[1].name != "check":
        return
    skips = collections.Counter(found.what for found in job.found
                                if found.outcome == "pass" and found.result == "skip")
    commit, date = read_lines(job.directory.parents[1] / "origin")[0].split()[:2]
    record = {"tests": len(job.found), "passed": job.passed, "failed": job.failed,
              "skipped": job.skipped, "seconds": int(read_lines(job.directory / "seconds")[0]),
              "cpu": job.cpu_seconds(), "commit": commit, "date": date,
              "why": "; ".join(f"{what} ({number})" for what, number in skips.most_common())
                     if job.skipped else ""}
    path = job.directory / "record"
    path.write_text(json.dumps(record))
    if record["tests"] == number_of_all:
        (KEPT / job.name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, KEPT / job.name)


# ---- the comparison


def read_rows():
    """[title, rules]; a heading has None instead of rules."""
    rows = []
    for line in read_lines(HERE / "rows"):
        if not line or line.startswith("#"):
            continue
        if line.startswith("\t"):
            rows[-1][1].append(line.split())
        else:
            rows.append([line[2:], None] if line.startswith("= ") else [line, []])
    return rows


def records_of(results, modules, kernel):
    for path in sorted((results / kernel).glob(f"{modules}*/found")):
        for record in json.loads(path.read_text()):
            yield Found(*record)


def cell(rules, records):
    """"ok" and the number of tests, or the failures and their number."""
    mine = [found for found in records if found.result != "skip" and
            any(fnmatch.fnmatchcase(found.program, program) and
                fnmatch.fnmatchcase(found.test, test) for program, test in rules)]
    bad = [(found.what or "fails").replace("|", "or") for found in mine
           if found.result != "pass"]
    if not mine:
        return "-"
    if not bad:
        return f"ok ({len(mine)})"
    bad = [what if len(what) <= 42 else what[:40].rsplit(" ", 1)[0] + " .." for what in bad]
    # the most frequent failure comes first; two are enough
    kinds = [what for what, _ in collections.Counter(bad).most_common()]
    text = kinds[0]
    if len(kinds) == 2:
        text += f", {kinds[1]}"
    elif len(kinds) > 2:
        text += f", {len(kinds) - 1} other"
    return f"{text} ({len(bad)} of {len(mine)})"


def compare(results, *kernels):
    columns = {}
    for modules in "mainline", "ours":
        for kernel in kernels:
            records = [*records_of(results, modules, kernel),
                       *records_of(results, modules, f"{kernel}-debug")]
            if records:
                columns[f"{modules} {kernel}"] = records
    table = [["", *columns]]
    for title, rules in read_rows():
        if rules is None:
            table.append([f"**{title}**", *("" for _ in columns)])
        else:
            table.append([title, *(cell(rules, records) for records in columns.values())])
    print("\n".join(lines_of(table)))


def lines_of(table):
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in table]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return lines


JOB_HEADER = ["job", "passed", "failed", "skipped", "seconds", "of CPU", "measured",
              "skipped because"]


def job_row(name, record):
    return [name, *(str(record[key]) for key in ("passed", "failed", "skipped", "seconds", "cpu")),
            f"{record['commit']}, {record['date']}", record["why"].replace("|", "or")]


def jobs(results):
    rows = [job_row("/".join(path.parts[-3:-1]), json.loads(path.read_text()))
            for path in sorted(results.glob("*/*/record"))]
    print("\n".join(lines_of([JOB_HEADER, *rows])))


def main(what, path, *args):
    path = pathlib.Path(path)
    if what == "job":
        report_job(path, *args)
    elif what == "jobs":
        jobs(path)
    else:
        compare(path, *args)


if __name__ == "__main__":
    main(*sys.argv[1:])
