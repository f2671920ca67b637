#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""figures.py: compute the results of "lab bench" from its samples, and compare two runs.

figures.py report CASES SAMPLES BASE NAME...
    Write BASE.json, BASE.table and BASE.svg; print the table. Fails if a NAME has no figure.
figures.py compare [--ktap] OLD NEW
    Compare two such JSON files. They are open as descriptors 3 and 4, because the root that
    this runs in may not have the files OLD and NEW. Fails if a case of NEW got slower by
    more than its spread, and by more than 1 %. With --ktap each case is a test.
"""

import json
import statistics
import sys
from html import escape

FORMS = "mainline", "ours", "ours-context", "floor"
KINDS = {
    "count": "Instructions, one CPU",
    "holders": "The same, of a device that is in use",
    "rate": "Throughput, two CPUs",
    "ring": "A ring of TCMU, instructions, one CPU",
    "tcmu": "TCMU, I/O per 10^9 instructions, one CPU",
    "fio": "TCMU, throughput, two CPUs",
    "memory": "Kernel memory, bytes",
}
# Ratios of a kind can vary this much between runs, even if the samples of a run agree.
LEAST_SPREAD = {"tcmu": 0.005}


def fail(status, message):
    print(f"lab bench: {message}", file=sys.stderr)
    sys.exit(status)


# ---- what was measured


class Case:
    """A line of the file "cases", and the medians of its samples in each form."""

    def __init__(self, name, kind, unit, target, floor_target, title):
        self.name, self.kind, self.unit = name, kind, unit
        self.target = None if target == "-" else target
        self.floor_target = None if floor_target == "-" else floor_target
        self.title = title.strip()
        self.samples = {}
        self.median = {}
        self.spread = 0

    def summarise(self):
        """Set the spread: the largest distance of quartiles over median of all forms."""
        for form, samples in self.samples.items():
            low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
            self.median[form] = median
            if median > 0:
                self.spread = max(self.spread, (high - low) / median)

    def figure(self, form):
        """The median as the table shows it, or None."""
        median = self.median.get(form)
        if median is None:
            return None
        if median == int(median):
            return str(int(median))
        return f"{median:.3f}" if median < 100 else f"{median:.1f}"

    def shown(self, form):
        """The figure as a number."""
        return float(self.figure(form) or 0)

    def ratio(self, form):
        """Ours over that form."""
        if self.median.get(form, 0) <= 0:
            return None
        return round(self.median["ours"] / self.median[form], 3)

    def verdict(self):
        """Are the targets "met", "missed" or "unclear"? None without one."""
        both = (
            self.verdict_on(self.target, self.ratio("mainline")),
            self.verdict_on(self.floor_target, self.ratio("floor")),
        )
        return next((word for word in ("missed", "unclear", "met") if word in both), None)

    def verdict_on(self, target, ratio):
        if target is None or ratio is None:
            return None
        limit = float(target.lstrip("ours<>=+"))
        if target.startswith("ours"):
            good = self.median["ours"] <= limit
        elif target.startswith("+"):
            good = self.median["ours"] - self.median["mainline"] <= limit
        else:
            # the spread of the samples is larger than the distance from the limit
            apart = max(self.spread, LEAST_SPREAD.get(self.kind, 0))
            if limit * (1 - apart) < ratio < limit * (1 + apart):
                return "unclear"
            good = ratio >= limit if target.startswith(">") else ratio <= limit
        return "met" if good else "missed"

    def context_differs(self):
        """Is the figure with a context different from ours?"""
        return ("ours-context" in self.median
                and self.shown("ours-context") != self.shown("ours"))


def read_cases(path):
    cases = {}
    with open(path) as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                case = Case(*line.split(None, 5))
                cases[case.name] = case
    return cases


def read_samples(path, cases):
    with open(path) as file:
        for line in file:
            form, _, name, value = line.split()
            cases[name].samples.setdefault(form, []).append(float(value))


def add_growth(cases, case):
    """The cost per holder with 10,000 holders, divided by the cost with 100.

    100 instructions are added to both, so that the ratio of tiny costs is near 1.
    """
    parts = [cases[case.name.replace("growth", holders)] for holders in ("1", "100", "10000")]
    for form in FORMS:
        if all(form in part.median for part in parts):
            one, few, many = (part.median[form] for part in parts)
            few, many = max((few - one) / 99, 0), max((many - one) / 9999, 0)
            case.median[form] = (many + 100) / (few + 100)


def summary(cases_path, samples_path):
    """The cases that were measured, by name, in the order of the file."""
    cases = read_cases(cases_path)
    read_samples(samples_path, cases)
    for case in cases.values():
        case.summarise()
    for name, case in cases.items():
        if name.endswith("-growth"):
            add_growth(cases, case)
        # some cases exist only with a context
        if "ours-context" in case.median:
            case.median.setdefault("ours", case.median["ours-context"])
    return {name: case for name, case in cases.items() if "ours" in case.median}


# ---- how it is shown


def json_line(case):
    def ratio(form):
        ratio = case.ratio(form)
        return None if ratio is None else f"{ratio:.3f}"

    def text(x):
        return None if x is None else json.dumps(x)

    fields = {
        "mainline": case.figure("mainline"),
        "ours": case.figure("ours"),
        "floor": case.figure("floor"),
        "ratio": ratio("mainline"),
        "to_floor": ratio("floor"),
        "unit": text(case.unit),
        "spread": f"{case.spread:.4f}",
        "target": text(case.target),
        "target_floor": text(case.floor_target),
        "met": {"met": "true", "missed": "false"}.get(case.verdict()),
    }
    if case.context_differs():
        fields["ours-context"] = case.figure("ours-context")
    return f'  "{case.name}": {{' + ", ".join(
        f'"{key}": {value or "null"}' for key, value in fields.items()) + "}"


def json_of(cases):
    """JSON with a line for each case."""
    return "{\n" + ",\n".join(json_line(case) for case in cases) + "\n}\n"


def short(figure):
    """The figure in thousands or millions, if it is large."""
    if figure is None:
        return "-"
    x = float(figure)
    if x < 100000:
        return figure
    return f"{x / 1000:.1f} k" if x < 10000000 else f"{x / 1000000:.1f} M"


def aim(case, form, target):
    """What TARGET limits (ours, the difference, or the ratio to FORM), and TARGET."""
    ratio = case.ratio(form)
    if target and target.startswith("ours"):
        return f"{case.shown('ours'):.2f} ({target[4:]})"
    if ratio is None:
        return ""
    if target and target.startswith("+"):
        return f"{int(case.shown('ours') - case.shown(form)):+d} (<={target})"
    return f"{ratio:.3f}" + (f" ({target})" if target else "")


def table_rows(cases):
    yield "", "mainline", "ours", "floor", "to mainline", "to floor", "spread", ""
    kind = None
    for case in cases:
        if case.kind != kind:
            kind = case.kind
            yield KINDS[kind], *[None] * 7
        yield ("  " + case.title,
               *[short(case.figure(form)) for form in ("mainline", "ours", "floor")],
               aim(case, "mainline", case.target), aim(case, "floor", case.floor_target),
               f"{round(case.spread, 4) * 100:.1f} %", case.verdict() or "")
        ours, context = case.shown("ours"), case.shown("ours-context")
        if case.context_differs() and abs(context - ours) > 0.01 * ours:
            yield "    with a context", "", short(case.figure("ours-context")), *[""] * 5


def table_of(cases):
    lines = []
    for row in table_rows(cases):
        if row[1] is None:
            lines.append(row[0])
            continue
        lines.append("{:38} {:>9} {:>9} {:>9}  {:13} {:13} {:>6}  {}".format(*row).rstrip())
    verdicts = [case.verdict() for case in cases if case.verdict()]
    if verdicts:
        lines.append(f"{verdicts.count('met')} of {len(verdicts)} targets are met.")
    return "\n".join(lines) + "\n"


# ---- the chart: the cost of an operation with ours, if mainline's is 1. For throughput it is
# the reciprocal. So shorter is always better.

LEFT, TOP, ROW = 300, 64, 20
WIDTH = 960
UNIT = 340  # pixels for 1.0
MOST = 1.25
STYLE = """<style>
text { font: 12px sans-serif; fill: #1f2328 }
.head { font-weight: bold; font-size: 14px }
.right { text-anchor: end }
.mid { text-anchor: middle }
.back { fill: #ffffff }
.good { fill: #2f6fde } .bad { fill: #c9692b }
.one { stroke: #59636e } .grid { stroke: #d1d9e0 }
.aim { stroke: #1a7f37; stroke-width: 3 }
.floor { stroke: #8250df; stroke-width: 3 }
@media (prefers-color-scheme: dark) {
.back { fill: #0d1117 }
text { fill: #e6edf3 } .good { fill: #58a6ff } .bad { fill: #e8945a }
.one { stroke: #9198a1 } .grid { stroke: #30363d }
.aim { stroke: #3fb950 } .floor { stroke: #bc8cff }
}
</style>"""


def x_of(value):
    return LEFT + UNIT * min(value, MOST)


def text(x, y, kind, words):
    return f'<text x="{int(x)}" y="{y}" class="{kind}">{escape(words, quote=False)}</text>'


def line(x, y1, y2, kind):
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def rect(x, y, width, height, kind):
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" class="{kind}"/>'


def legend(y):
    return [
        rect(10, y - 9, 20, 10, "good"),
        text(36, y, "", "ours"),
        rect(80, y - 9, 20, 10, "bad"),
        text(106, y, "", "ours, target missed"),
        line(250, y - 11, y + 3, "aim"),
        text(258, y, "", "target, at most"),
        line(370, y - 11, y + 3, "floor"),
        text(378, y, "", "a bare device: no lifetime protection at all"),
    ]


def scale(height):
    for value in (0, 0.25, 0.5, 0.75, 1, 1.25):
        yield line(x_of(value), TOP - 4, height - 10, "one" if value == 1 else "grid")
        yield text(x_of(value), TOP - 8, "mid", f"{value:.2f}")


def bar(case, y):
    ratio, limit = case.ratio("mainline"), float(case.target[2:])
    mainline, floor = case.shown("mainline"), case.shown("floor")
    if case.target.startswith(">"):
        cost, limit, floor = 1 / ratio, 1 / limit, floor and mainline / floor
        label = f"{cost:.2f} ({ratio:.2f} times the throughput)"
    else:
        cost, floor = ratio, floor / mainline
        label = f"{cost:.2f}"
    missed = case.verdict() == "missed" and cost > limit
    yield text(LEFT - 8, y + 14, "right", case.title)
    yield rect(LEFT, y + 4, f"{x_of(cost) - LEFT:.1f}", 12, "bad" if missed else "good")
    if floor:
        yield line(x_of(floor), y + 2, y + 18, "floor")
    yield line(x_of(limit), y + 2, y + 18, "aim")
    # the label is after the bar, or after the mark of the target if it would cover that
    after = x_of(cost)
    if cost <= max(limit, floor) and after + 6 + 7 * len(label) >= x_of(limit):
        after = x_of(max(limit, floor))
    yield text(after + 6, y + 14, "", label)


def chart_of(cases):
    """The chart has the cases that have a target for ours/mainline."""
    shown = [case for case in cases
             if case.ratio("mainline") and case.target and case.target[0] in "<>"]
    height = TOP + len(shown) * ROW + 14
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-label="Cost of UIO operations next to mainline">',
        STYLE,
        f'<rect width="{WIDTH}" height="{height}" class="back"/>',
        text(10, 18, "head", "Cost of an operation, mainline = 1.0; shorter is better"),
        *legend(38),
        *scale(height),
    ]
    for i, case in enumerate(shown):
        lines += bar(case, TOP + i * ROW)
    return "\n".join(lines) + "\n</svg>\n"


def report(cases_path, samples_path, base, *names):
    measured = summary(cases_path, samples_path)
    for name in names:
        if name not in measured:
            fail(1, f"the guest printed no figure of {name}: see results/bench/*/log")
    cases = list(measured.values())
    table = table_of(cases)
    for suffix, words in ("json", json_of(cases)), ("table", table), ("svg", chart_of(cases)):
        with open(f"{base}.{suffix}", "w") as file:
            file.write(words)
    print(table, end="")


# ---- two runs


def read_json(descriptor, name):
    try:
        with open(descriptor) as file:
            cases = json.load(file)
        if all("ours" in case for case in cases.values()) and cases:
            return cases
    except (OSError, ValueError, AttributeError, TypeError):
        pass
    fail(2, f"--compare: '{name}' is not a file of lab bench: run make bench again")


def slowdown(old, new):
    """How much slower a case got: 0.01 is 1 %. None if the two can't be compared.

    It compares the ratios ours/mainline. Both were measured in the same run, so machine and
    load cancel out. It compares ours alone if mainline has no such case.
    """
    if old is None:
        return None
    before, after = (case["ours"] if case["ratio"] is None else case["ratio"]
                     for case in (old, new))
    if before <= 0:
        return None
    more_is_better = new["unit"].endswith(("/s", "/Ginstr"))
    return before / after - 1 if more_is_better else after / before - 1


def compare(*args):
    ktap = args[0] == "--ktap"
    old, new = (read_json(3 + i, name) for i, name in enumerate(args[-2:]))
    comment = "# " if ktap else ""
    compared = bad = 0
    if ktap:
        print(f"KTAP version 1\n1..{len(new)}")
    for number, (name, case) in enumerate(new.items(), 1):
        slower = slowdown(old.get(name), case)
        result = "ok"
        if name not in old:
            print(f"{comment}{name}: new")
        if slower is not None:
            compared += 1
            # instruction counts vary a little with addresses of memory
            allowed = max(old[name]["spread"], case["spread"], 0.01)
            if slower > allowed:
                bad += 1
                result = "not ok"
                print(f"{comment}{name}: slower by {slower * 100:.1f} %, "
                      f"allowed are {allowed * 100:.1f} %")
            elif slower < -allowed:
                print(f"{comment}{name}: faster by {-slower * 100:.1f} %")
        if ktap:
            print(result, number, name)
    missing = len(old.keys() - new.keys())
    if missing:
        print(f"{comment}{missing} cases were not measured this time")
    print(f"{comment}{compared} cases compared, {bad} slower")
    sys.exit(0 if compared and not bad else 1)


if __name__ == "__main__":
    {"report": report, "compare": compare}[sys.argv[1]](*sys.argv[2:])
