#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""pages.py DIR: make pages of the site, in DIR, from texts in Markdown and from plain texts.

A link to a text with a page becomes a link to that page. A link to another file becomes a link
to a copy of the file. A link to a directory becomes its words, because the site has no
directories to show.
"""

import os
import re
import sys

# Texts in Markdown, and their pages.
MARKDOWN = {
    "README.md": "README.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "lab/README.md": "lab.md",
    "Documentation/results.md": "results.md",
    "lab/docs/site/dpdk.md": "dpdk.md",
    "lab/docs/site/languages.md": "languages.md",
}
# Other texts that have a page.
PAGES = MARKDOWN | {
    "NEWS": "news.md",
    "debian/README.Debian": "debian.md",
    "drivers/target/README": "target.md",
    "drivers/uio/patches/README": "uio-drivers.md",
    "tools/testing/selftests/uio/unplug/README.rst": "unplug.rst",
    "lab/docs/site/ci.rst": "ci.rst",
    "man/target_core_user.4": "man/target_core_user.4.md",
    "man/uio-late-release.1": "man/uio-late-release.1.md",
    "man/uio.4": "man/uio.4.md",
    "Documentation/deviations.rst": "deviations.rst",
    "Documentation/driver-api/uio-convert.rst": "driver-api/uio-convert.rst",
    "Documentation/driver-api/uio-late-release.rst": "driver-api/uio-late-release.rst",
    "Documentation/userspace-api/uio.rst": "userspace-api/uio.rst",
}


def link(source, match):
    text, target, place = match.groups()
    path = os.path.normpath(os.path.join(os.path.dirname(source), target))
    if target.startswith(("http:", "https:")):
        return match[0]
    if path.startswith("Documentation/results-"):
        return f"[{text}]({os.path.basename(path)})"
    if path in PAGES:
        return f"[{text}](/{PAGES[path]}{place or ''})"
    if os.path.isdir(path):
        return text
    return f"[{text}](../{path})"


def markdown(source):
    """The page of a text in Markdown. Blocks of code have no links."""
    with open(source) as file:
        for line in file:
            if not line.startswith("    "):
                line = re.sub(r"\[([^]]*)\]\(([^)#]+)(#[^)]*)?\)", lambda m: link(source, m), line)
            yield line


def readme():
    """The front page already has this title, so this page gets another one."""
    for line in markdown("README.md"):
        yield re.sub("^# .*", "# Overview", line)


def news():
    """Lines with stars are headings. The first line is the title."""
    with open("NEWS") as file:
        yield "# News\n"
        for line in list(file)[1:]:
            yield re.sub(r"^(\*+) ", lambda m: "#" * (len(m[1]) + 1) + " ", line)


def debian():
    """This text is also Markdown."""
    with open("debian/README.Debian") as file:
        yield from file


def patches(source, title):
    """Lines with a tab are items of a list."""
    with open(source) as file:
        yield f"# {title}\n\n"
        for line in file:
            yield re.sub(r"^([^\t\n]+)\t+", r"- `\1`: ", line)


def write(page, lines):
    with open(os.path.join(sys.argv[1], page), "w") as file:
        file.writelines(lines)


def main():
    for source, page in MARKDOWN.items():
        write(page, markdown(source))
    write("README.md", readme())
    write("news.md", news())
    write("debian.md", debian())
    write("target.md", patches("drivers/target/README", "TCMU, as patches"))
    write("uio-drivers.md", patches("drivers/uio/patches/README", "UIO drivers, as patches"))


os.chdir(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
main()
