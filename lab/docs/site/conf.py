# SPDX-License-Identifier: GPL-2.0
"""What this site has other than the kernel's own, whose conf.py reads this one."""

import pathlib

with open(pathlib.Path(__file__).parent / "../VERSION") as text:
    version = release = text.read().strip()

project = "UIO late release"
html_title = f"{project} {version}"
html_logo = None
html_show_copyright = False
# tables of results are wide
html_theme_options.update(description=version, body_max_width="58em")
html_static_path = [*html_static_path, str(pathlib.Path(__file__).parent / "static")]
html_css_files = ["site.css"]

# README.md, and the man pages as mandoc makes them
extensions.append("myst_parser")
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
