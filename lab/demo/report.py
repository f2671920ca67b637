#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""report.py MAINLINE OURS: print a table and a verdict for the events of two runs.

The status is 0 if ours kept the contract and mainline's run completed.
"""

import pathlib
import re
import sys
import textwrap


class Run:
    """The values of a guest's events, named EVENT.KEY."""

    def __init__(self, title, path):
        self.title, self.values, self.missed = title, {}, []
        for line in pathlib.Path(path).read_text(errors="replace").splitlines():
            name, *pairs = line.split()[1:] or [""]
            self.values[name] = "seen"
            for pair in pairs:
                key, _, value = pair.partition("=")
                self.values[f"{name}.{key}"] = value
        self.derive()

    def derive(self):
        """Compute values from several events."""
        served = (self.number(f"fio_b.{when}") for when in ("delete", "held", "free"))
        self.values |= {
            "released.files": str(self.number("free.files") - self.number("held.files")),
            "released.devices": str(self.number("free.devices") -
                                    self.number("held.devices")),
            "dropped.uses": str(self.number("held.tcmu") - self.number("free.tcmu")),
            "holder.alone": yes_if(re.fullmatch(r"holder\[\d+\]", users(self, "held"))),
            "daemon.same": yes_if(self.of("start.daemon") == self.of("end.daemon")),
            "served.always": yes_if(min(served) > 0),
        }

    def of(self, key):
        return self.values.get(key, "-")

    def number(self, key):
        value = self.of(key)
        return int(value) if re.fullmatch(r"-?\d+", value) else 0

    def has(self, want):
        key, _, value = want.partition("=")
        return self.of(key) == value


def yes_if(condition):
    return "yes" if condition else "no"


# ---- cells: the values of an event of a run, made readable


def ms(nanoseconds):
    return f"{int(nanoseconds / 100000) / 10} ms"


def mib(size):
    return f"{(size * 10 >> 20) / 10} MiB"


def rmdir(run, event):
    got = run.of(f"{event}.got")
    return got if got != "ok" else ms(run.number(f"{event}.end") - run.number(f"{event}.t"))


def got_at(run, event):
    # 0x18|ERR|HUP
    number, _, names = run.of(f"{event}.got").partition("|")
    got = f"{names} ({number})" if names else number
    return f"{got} at {ms(run.number(event + '.t') - run.number('delete.t'))}"


def present(run, event):
    if not run.has(f"{event}.got=data"):
        return run.of(f"{event}.got")
    return "data, as before" if run.has(f"{event}.content=same") else "data, not as before"


def absent(run, event):
    if not run.has(f"{event}.got=data"):
        return run.of(f"{event}.got")
    what = {"same": "zeros", "other": "data"}.get(run.of(f"{event}.content"))
    if what and run.has(f"{event}.after=1"):
        return f"{what}; the page gets mapped"
    return "data; nothing gets mapped"


def users(run, event):
    # NAME[PID]:FDS:MAPS:RSS_KIB,...
    return ", ".join(user.split(":")[0] for user in run.of(f"{event}.users").split(","))


def parts(run, event):
    parts_of = [user.split(":") for user in run.of(f"{event}.users").split(",")]
    return "; ".join(f"fd {part[1]}, {part[2]} mapping, {part[3]} KiB present"
                     for part in parts_of if len(part) == 4 and part[3]) or "-"


def ring(run, event):
    size = run.number(f"{event}.ring")
    return f"{mib(size)} held" if size else "freed"


def close(run, event):
    if run.number(f"{event}.ring"):
        return ring(run, event)
    if not run.number("munmap.ring"):
        return "freed before"
    return f"freed {ms(run.number(f'{event}.gone') - run.number(f'{event}.t'))} later"


def release(run, _):
    times = run.number("released.files")
    return {0: "never called", 1: "called"}.get(times, f"called {times} times")


def freed(run, _):
    return yes_if(run.has("released.devices=1"))


def memory(run, _):
    return ", ".join(mib(run.number(f"{when}.kib") << 10)
                     for when in ("held", "free", "unload"))


def daemon(run, event):
    if run.has("daemon.same=yes"):
        return f"alive, PID {run.of(f'{event}.daemon')} as before"
    return f"PID {run.of('start.daemon')}, at the end {run.of(f'{event}.daemon')}"


def unload(run, event):
    if run.has(f"{event}.status=0") and run.has(f"{event}.left="):
        return f"both gone after {run.of(f'{event}.ms')} ms"
    return f"status {run.of(f'{event}.status')}, left: {run.of(f'{event}.left')}"


# ---- the table

# LABEL, EVENT, CELL, EVENT.KEY=WANTED...: CELL is one of the functions above, or a text with
# values in it. A row with WANTED values is one point of the contract. A cell whose values
# differ gets a star.
HUP = "0x18|ERR|HUP"
ROWS = (
    ["Before"],
    ["fio writes and verifies on A", "fio_a", "{fio_a.verified} blocks, {fio_a.error} errors",
     "fio_a.error=0"],
    ["file and ring are used by", "live", users],
    ["threads sleep in", "block", "{block.read}, {block.poll}"],
    ["Backstore A is deleted at 0 ms"],
    ["rmdir of A in configfs takes", "delete", rmdir, "delete.got=ok"],
    ["blocked poll gets", "blocked_poll", got_at, f"blocked_poll.got={HUP}"],
    ["blocked read gets", "blocked_read", got_at, "blocked_read.got=EIO"],
    ["new read", "read", got_at, "read.got=EIO"],
    ["new poll", "poll", got_at, f"poll.got={HUP}"],
    ["new write", "write", got_at, "write.got=EIO"],
    ["new mmap", "mmap", got_at, "mmap.got=EIO"],
    ["open of an old device node", "open", got_at, "open.got=ENODEV"],
    ["ring page that was present", "present", present, "present.before=1", "present.got=data",
     "present.content=same"],
    ["ring page not yet present", "absent", absent, "absent.before=0", "absent.got=SIGBUS",
     "absent.after=0"],
    ["While A is held"],
    ["held by", "held", users, "holder.alone=yes"],
    ["with", "held", parts],
    ["ring of A", "probed", ring],
    ["The holder lets go"],
    ["after munmap, the ring is", "munmap", ring],
    ["after close", "close", close, "close.ring=0", "free.users=nobody"],
    ["driver's release for the file", "free", release, "released.files=1"],
    ["what the driver kept is freed", "free", freed, "released.devices=1"],
    ["All of target_core_user"],
    ["memory: held, let go, B gone", "unload", memory, "unload.kib=0"],
    ["use count: live, held, let go", "free", "{live.tcmu}, {held.tcmu}, {free.tcmu}",
     "dropped.uses=1"],
    ["Daemon and backstore B"],
    ["tcmu-runner", "end", daemon, "daemon.same=yes"],
    ["B serves: delete, held, let go", "fio_b", "{fio_b.delete}, {fio_b.held}, {fio_b.free}",
     "served.always=yes"],
    ["fio verifies on B", "fio_b", "{fio_b.verified} blocks, {fio_b.error} errors",
     "fio_b.error=0", "fio_end.error=0"],
    ["End"],
    ["tcmu and uio unload", "unload", unload, "unload.status=0", "unload.left="],
    ["warnings in the kernel log", "guest", "{guest.splats}", "guest.splats=none"],
)
POINTS = sum(len(row) > 3 for row in ROWS)


def make_cell(run, event, how):
    # the run may have ended before this event
    if event not in run.values:
        return "-"
    if callable(how):
        return how(run, event)
    return re.sub(r"\{(.*?)\}", lambda match: run.of(match[1]), how)


def print_row(runs, label, event, how, *wants):
    cells = []
    for run in runs:
        cells.append(make_cell(run, event, how))
        if not all(map(run.has, wants)):
            cells[-1] += " *"
            run.missed.append(label)
    print(f"  {label:30}| {cells[0]:32}| {cells[1]}")


def print_table(runs):
    print(f"{'step':32}| {runs[0].title:32}| {runs[1].title}")
    print("-" * 32 + ("+" + "-" * 33) * 2)
    for row in ROWS:
        if len(row) == 1:
            print(f"{row[0]:32}|{'|':>34}")
        else:
            print_row(runs, *row)


# ---- the verdict


def with_which(runs, want):
    have = [run.title for run in runs if run.has(want)]
    return ("with neither", f"only with {''.join(have)}", "with both")[len(have)]


def verdict_on(run):
    title = run.title.capitalize()
    if run.has("end.daemon=-"):
        yield f"{title}: the run did not complete (status {run.of('guest.status')})."
    elif not run.missed:
        yield f"{title}: as the contract wants in all {POINTS} points."
    else:
        yield (f"{title}: not as the contract wants in {len(run.missed)} of {POINTS} points "
               f"(*): {', '.join(run.missed)}.")
    if not run.has("guest.splats=none"):
        yield f"{title}: see splats.txt in its logs."


def verdict(runs):
    for run in runs:
        yield from verdict_on(run)
    yield (f"tcmu-runner survived {with_which(runs, 'daemon.same=yes')} and served backstore B "
           f"throughout {with_which(runs, 'served.always=yes')}; "
           f"all memory came back {with_which(runs, 'unload.kib=0')}, "
           f"and the modules unloaded {with_which(runs, 'unload.status=0')}.")


def main(theirs, ours):
    runs = [Run("mainline", theirs), Run("late release", ours)]
    print_table(runs)
    print()
    for sentence in verdict(runs):
        print(textwrap.fill(sentence, 97, break_long_words=False, break_on_hyphens=False))
    return bool(runs[1].missed) or not all(run.has("guest.status=0") for run in runs)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
