#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""results.py: copy the outputs of the last runs to Documentation/results.md.

Extracts go to README.md. Runs in the checkout, and prints which sections are new.
"""

import json
import os
import pathlib
import re
import sys
import time

sys.path.insert(0, "lab/check")
import report

RESULTS = pathlib.Path("results")
PAGE = pathlib.Path("Documentation/results.md")
README = pathlib.Path("README.md")
CHART = pathlib.Path("Documentation/results-bench.svg")

# name in the page: the output, the directory of the run, the command that makes it, and a
# pattern for the verbs and arguments of a complete run
SECTIONS = {
    "demo": ("demo/report", "demo", "make demo", r"demo"),
    "timeline": ("timeline/events", "timeline", "lab/lab timeline", r"timeline"),
    "check": ("check.tap", "check", "make check", r"check"),
    "compare": ("compare", "check", "make check-all", r"check --all|check /mainline /ours/ .*"),
    "same": ("same/6.12/diff", "same/6.12", "make same", r"same( --kernel \S+)?( .* table)?"),
    "model": ("model/table", "model", "make model", r"model( .*)?"),
    "coverage": ("coverage/table", "coverage", "make coverage", r"coverage"),
    "plug": ("plug/table", "plug", "make plug", r"plug"),
    "unplug": ("check/table", "check", "make check-all", r"check --all"),
    "clients": ("clients/table", "clients", "make clients", r"clients"),
    "bench": ("bench.table", "bench", "make bench", r"bench"),
    "bench-7.3": ("bench-7.3.table", "bench-7.3", "make bench KERNEL=7.3", r"bench --kernel 7.3"),
}


def read(path):
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return ""


def origin(name):
    """Commit, date and command of a run."""
    output, run = RESULTS / SECTIONS[name][0], RESULTS / SECTIONS[name][1]
    text = read(run / "origin").strip()
    if text:
        return text.split(" ", 2)
    day = time.strftime("%F", time.gmtime(output.stat().st_mtime))
    return "not recorded", day, ""


def trouble(name):
    """Why there is no output for a section, or ""."""
    output = RESULTS / SECTIONS[name][0]
    whole = SECTIONS[name][3]
    text = read(output)
    if not text:
        return f"there is no {output}"
    command = origin(name)[2]
    if command and not re.fullmatch(whole, command):
        return f"{output} is from 'lab {command}', which runs only a part"
    if name == "check" and not re.match(r"\d+ passed, ", text.splitlines()[-1]):
        return f"{output} is not complete"
    return ""


def machine():
    model = re.search(r"^model name\s*: (.*)", read(pathlib.Path("/proc/cpuinfo")), re.M)
    kib = re.search(r"^MemTotal:\s*(\d+)", read(pathlib.Path("/proc/meminfo")), re.M)
    kvm = "KVM" if read(pathlib.Path("build/accel")).strip() == "kvm" else "no KVM"
    return (f"{model[1] if model else 'unknown CPU'}, {os.cpu_count()} CPUs, "
            f"{round(int(kib[1]) / 2 ** 20)} GiB of memory, {kvm}")


def facts():
    for path in sorted((RESULTS / "same").iterdir()):
        mainline, ours, diff = (read(path / name).splitlines()
                                for name in ("mainline.facts", "ours.facts", "diff"))
        differ = [line for line in diff if line and not line[0].isspace()]
        unexplained = [line for line in diff if re.match(r".allowed.*\sno$", line)]
        yield (f"{path.name}: {len(mainline)} facts on mainline, {len(ours)} on ours; "
               f"{len(differ)} differ, {len(unexplained)} of them without a reason")


def block(lines):
    return "".join(f"    {line}".rstrip() + "\n" for line in lines)


def body(name):
    lines = read(RESULTS / SECTIONS[name][0]).splitlines()
    if name == "compare":
        return "\n".join(lines) + "\n"
    if name == "same":
        lines = facts()
    return block(lines)


def extract(name):
    """A few lines: points where mainline breaks the contract; tests of our modules, the total."""
    lines = read(RESULTS / SECTIONS[name][0]).splitlines()
    if name == "demo":
        broken = [line for line in lines if " *" in line and "|" in line]
        verdict = [line for line in lines if line.startswith("Late release: ")]
        return block([*lines[:2], *broken[:4], "", *verdict])
    ran = [line for line in lines if re.match(r"(not )?ok ", line) and "/mainline" not in line]
    return block([*ran[:3], "...", lines[-1]])


def jobs():
    """
    The table of the page, with new rows for the jobs that were run as a whole since. stdin has a
    line for each job that there is: the number of its tests, and its name.
    """
    known = {name: int(number) for number, name in map(str.split, sys.stdin)}
    rows = {}
    for line in section(PAGE, "jobs").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        rows[cells[0]] = cells
    for path in report.KEPT.glob("*/*"):
        name = "/".join(path.parts[-2:])
        record = json.loads(path.read_text())
        if record["tests"] == known.get(name):
            rows[name] = report.job_row(name, record)
    table = report.lines_of([report.JOB_HEADER, *(rows[name] for name in known if name in rows)])
    missing = [name for name in known if name not in rows]
    if missing:
        table += ["", f"Not measured yet: {', '.join(missing)}."]
    return "\n".join(table) + "\n"


def section(page, name):
    """What is between the markers of NAME."""
    return re.search(rf"^<!-- {re.escape(name)} -->\n(.*?)^<!-- /{re.escape(name)} -->$",
                     page.read_text(), re.M | re.S)[1]


def fill(page, name, text):
    """Replace what is between the markers of NAME."""
    pattern = re.compile(rf"^<!-- {re.escape(name)} -->\n.*?^<!-- /{re.escape(name)} -->$",
                         re.M | re.S)
    old = page.read_text()
    if not pattern.search(old):
        sys.exit(f"lab results: {page} has no place for '{name}': write <!-- {name} --> "
                 f"and <!-- /{name} --> into it")
    new = f"<!-- {name} -->\n{text}<!-- /{name} -->"
    page.write_text(pattern.sub(lambda match: new, old))


def main():
    shown = []
    if report.KEPT.exists():
        fill(PAGE, "jobs", jobs())
        shown.append("jobs")
    for name, (_, _, command, _) in SECTIONS.items():
        why = trouble(name)
        if why:
            print(f"lab results: not renewed: {name}: {why}: run {command}", file=sys.stderr)
            continue
        commit, date, _ = origin(name)
        if name != "check":
            fill(PAGE, name, f"Commit {commit}, {date}. {machine()}.\n\n{body(name)}")
        if name in ("demo", "check"):
            fill(README, name, extract(name))
        if name == "bench":
            CHART.write_text(read(RESULTS / "bench.svg"))
        shown.append(name)
    if not shown:
        sys.exit("lab results: there are no results, so the pages stay as they are")
    print(f"new in {PAGE}:", *shown)


main()
