#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""checks.py NAME: run a check of the sources, in the Debian root that has its tools.

stdin has the paths of our files, one in each line. Prints errors, or nothing if all is well.
"""

import concurrent.futures
import fnmatch
import os
import pathlib
import re
import subprocess
import sys

import ci_jobs

LINT = pathlib.Path(__file__).parent
SCRIPTS = "build/kernel-6.12/source/scripts"
FILES = []


def matching(*patterns):
    """Our files whose path or name matches one of the patterns."""
    return [file for file in FILES if any(fnmatch.fnmatchcase(file, pattern) or
                                          fnmatch.fnmatchcase(os.path.basename(file), pattern)
                                          for pattern in patterns)]


def read(file):
    return pathlib.Path(file).read_text(errors="replace")


def first_line(file):
    return read(file).split("\n", 1)[0]


def run(*command, files=(), **options):
    """The output of a command. If it fails without output, a line that says so."""
    done = subprocess.run([*command, *files], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    lines = done.stdout.splitlines()
    if done.returncode and not lines:
        lines = [f"{command[0]} failed, status {done.returncode}"]
    return lines


# ---- text

LICENSED = ("*.[chS]", "*.sh", "*.awk", "*.py", "*.rst", "*.config", "*.css", "*.dot",
            "*.[1-9]", "*Makefile*", "*Kbuild", "*.pml", "*.litmus")


def check_text():
    licensed = set(matching(*LICENSED))
    for file in FILES:
        text = read(file)
        # in a patch, an empty line of context is a single space
        space = r"[+].*\s" if file.endswith(".patch") else r".*\s"
        for nr, line in enumerate(text.split("\n"), 1):
            if re.fullmatch(space, line):
                yield f"{file}:{nr}: white space at the end of the line"
        if text and not text.endswith("\n"):
            yield f"{file}: no newline at the end"
        head = "\n".join(text.split("\n", 2)[:2])
        if (file in licensed or head.startswith("#!")) and \
                "SPDX-License-Identifier:" not in head:
            yield f"{file}: no SPDX-License-Identifier in its first two lines"
    yield from check_maintainers()


def check_maintainers():
    """A pattern is a directory with all its files, or a path. * does not match a slash."""
    unused = re.findall(r"^F:\s+(.*)", read("MAINTAINERS"), re.M)
    patterns = {name: re.compile(re.escape(name).replace(r"\*", "[^/]*") +
                                 ("" if name.endswith("/") else "$")) for name in unused}
    for file in FILES:
        found = [name for name, pattern in patterns.items() if pattern.match(file)]
        unused = [name for name in unused if name not in found]
        if not found:
            yield f"{file}: MAINTAINERS has no F: line for it: add one"
    for name in unused:
        yield f"MAINTAINERS: no file matches F: {name}: remove the line"


def check_spelling():
    patches = matching("*.patch")
    # filp and iput are names in the kernel, Nd is a macro of man pages
    names = ("-L", "filp,iput,nd")
    yield from run("codespell", "-H", *names,
                   files=[file for file in FILES if file not in patches])
    # misspellings in the kernel's own lines are not ours
    yield from run("codespell", *names, "--ignore-regex", "^[- ].*", files=patches)


def check_version():
    """The file VERSION has the version. All other places have to agree with it."""
    version = read("VERSION").strip()
    if not re.fullmatch(r"\d+(\.\d+)+", version):
        yield f"VERSION: '{version}' is not a version"
    module = r'MODULE_VERSION\("(.*)"\)'
    # of the package's version, without the revision of the packaging
    places = {"postings/not-sent.patch": module,
              "NEWS*": r"Version (\S+)", "debian/changelog": r"\S+ \(([^)-]*)",
              "man/*.[1-9]": r'\.Os "UIO late release (.*)"',
              "drivers/uio/uio_main.c": module,
              "drivers/target/common/*-a-version-*.patch": module}
    for names, pattern in places.items():
        for file in matching(names):
            found = re.search(pattern, read(file))
            if not found or found[1] != version:
                yield f"{file}: does not have version {version}, as VERSION has: make them agree"


COMMENT = re.compile(r"/\*.*?\*/", re.S)
BARRIER = re.compile(r"\b(smp_\w+|atomic_\w+_(acquire|release)|cmpxchg|rcu_read_lock|"
                     r"synchronize_\w+)\(")


def litmus_names(comment):
    # without the stars of its lines
    comment = " ".join(re.sub(r"\n\s*\*", " ", comment).split())
    return [name for names in re.findall(r"litmus: ([a-z-]+(?:, [a-z-]+)*)", comment)
            for name in names.split(", ")]


def barriers_without_litmus(source):
    """Lines of barriers without a test in the comment before them, in the same function."""
    code = COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source)
    for match in BARRIER.finditer(code):
        start = code.rfind("\n}", 0, match.start()) + 1
        comments = COMMENT.findall(source[start:match.start()])
        if not comments or not litmus_names(comments[-1]):
            yield source[:match.start()].count("\n") + 1


def check_litmus():
    """A comment on a pair of barriers names its litmus test, and each test is named."""
    tests = {pathlib.Path(file).stem: file for file in matching("lab/model/litmus/*.litmus")}
    unnamed = set(tests)
    for file in matching("drivers/uio/*.[ch]"):
        source = read(file)
        without = set(barriers_without_litmus(source))
        for match in COMMENT.finditer(source):
            nr = source[:match.start()].count("\n") + 1
            names = litmus_names(match[0])
            if re.search(r"pairs\s+(\*\s+)?with", match[0], re.I) and not names:
                without.add(nr)
            for name in names:
                if name not in tests:
                    yield f"{file}:{nr}: there is no lab/model/litmus/{name}.litmus"
            unnamed.difference_update(names)
        for nr in sorted(without):
            yield f"{file}:{nr}: give the pair a litmus test, and its name: (litmus: NAME)"
    for name in sorted(unnamed):
        yield f"{tests[name]}: no comment in drivers/uio names it"
    for name, file in tests.items():
        if first_line(file) != f"C {name}":
            yield f"{file}:1: does not begin with C {name}"


# ---- programs


def check_shellcheck():
    scripts = [file for file in FILES if file.endswith(".sh") or
               re.match(r"#!.*[/ ](ba|da)?sh( |$)", first_line(file))]
    yield from run("shellcheck", files=scripts)


def check_python():
    scripts = [file for file in FILES if file.endswith(".py") or
               re.match(r"#!.*python", first_line(file))]
    # the kernel's configuration of Sphinx reads the site's
    yield from run("pyflakes3", files=[file for file in scripts if "site/conf.py" not in file])


def checkpatch(where, files, *options):
    def some(files):
        return run(f"{SCRIPTS}/checkpatch.pl", "--root=.", "--no-tree", "--strict", "--terse",
                   "--show-types", "--no-summary", *options, files=files, cwd=where)

    parts = [files[i:i + 8] for i in range(0, len(files), 8)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for lines in pool.map(some, parts):
            yield from lines


def check_checkpatch():
    # it leaves files where it runs, and asks git if it is there: hence a place with links
    where = pathlib.Path("/tmp/checkpatch")
    where.mkdir()
    for item in pathlib.Path.cwd().iterdir():
        if item.name[0] != ".":
            (where / item.name).symlink_to(item)
    found = [*checkpatch(where, matching("*.[chS]", "*.rst", "*.sh", "Makefile*"), "-f"),
             # nobody sends the bugs that lab chaos has to find
             *checkpatch(where, [patch for patch in matching("*.patch")
                                 if "/mutations/" not in patch])]
    yield from not_allowed(sorted(found))


def not_allowed(found):
    """Leave out what lint.allow has, and tell what it has for nothing."""
    left = found
    for line in read(LINT / "lint.allow").splitlines():
        if not line or line[0] == "#":
            continue
        file, kind, *why = line.split(None, 2)
        if not why:
            yield f"lint.allow: no reason is given for {file} {kind}"
        name = re.escape(file).replace(r"\*", "[^/]*")
        name = re.sub(r"\\\[(.*?)\\\]", r"[\1]", name)
        pattern = re.compile(rf"{name}:\d+: [A-Z]+:{kind}: ")
        if not any(map(pattern.match, found)):
            yield f"lint.allow: nothing matches {file} {kind}"
        left = [line for line in left if not pattern.match(line)]
    yield from left


# ---- documents


def exported():
    for file in matching("*.c"):
        for name in re.findall(r"^EXPORT_SYMBOL(?:_GPL)?\((\w*)", read(file), re.M):
            yield file, name


def check_kernel_doc():
    yield from run(f"{SCRIPTS}/kernel-doc", "-none", "-Wall", files=matching("*.[ch]"))
    for file, name in exported():
        if not re.search(rf"^ \* {name}(\(\))? - ", read(file), re.M):
            yield f"{file}: {name}() is exported, but has no kernel-doc"


def check_sphinx():
    """The site is made: is everything in it?"""
    pages = "".join(map(read, pathlib.Path("build/docs").rglob("*.html")))
    for file, name in exported():
        # what test modules export is for themselves
        if not file.startswith(("tools/", "lab/")) and f'id="c.{name}"' not in pages:
            yield f"{file}: {name}() is exported, but in no page"
    header = "include/linux/uio_driver.h"
    for name in re.findall(r"^#define (UIO_[A-Z0-9_]+)", read(header), re.M):
        if not re.search(rf"<dt>{name}\b", pages):
            yield f"{header}: no page explains {name}"


def check_man():
    pages = matching("man/*.[1-9]")
    # pages of other packages are not there; nobody but us sets .Os
    ours = re.compile("STYLE: (referenced manual not found|operating system explicitly)")
    yield from (line for line in run("mandoc", "-T", "lint", files=pages)
                if not ours.search(line))
    for page in pages:
        done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", page], text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        yield from done.stderr.splitlines()


# ---- what is there for others


def check_junit():
    yield from run("ci/junit-test", cwd=".")


def check_blktests():
    """By the rules of blktests' own "make check"."""
    where = pathlib.Path("/tmp/blktests")
    (where / "common").mkdir(parents=True)
    (where / "check").touch()
    # what its check reads of a test is used there
    (where / "common/rc").write_text(
        ': "$DESCRIPTION" "$QUICK" "$TIMED" "${SKIP_REASONS[@]}"\n')
    yield from run("ci/blktests/install", where, cwd=".")
    tests = sorted(where.glob("tests/*/[0-9]*[0-9]"))
    files = [str(path.relative_to(where)) for path in [*where.glob("tests/*/rc"), *tests]]
    yield from run("shellcheck", "--norc", "-s", "bash", "-x", "-e", "SC2119", "-f", "gcc",
                   files=files, cwd=where)
    for file in files:
        if "TODO" in read(where / file):
            yield f"{file}: has a TODO"
    for file in where.rglob("*.out"):
        if file.stat().st_mode & 0o111:
            yield f"{file}: is executable"


def check_ci():
    yield from ci_jobs.check()


def main(name):
    FILES.extend(sys.stdin.read().splitlines())
    for line in globals()["check_" + name.replace("-", "_")]():
        print(line)


main(*sys.argv[1:])
