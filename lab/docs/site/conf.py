# SPDX-License-Identifier: GPL-2.0
"""Differences of this site from the kernel's own, whose conf.py reads this file."""

import pathlib
import re

from sphinx.search import languages
from sphinx.search.en import SearchEnglish

with open(pathlib.Path(__file__).parent / "../VERSION") as text:
    version = release = text.read().strip()

project = "UIO late release"
html_title = f"{project} {version}"
html_logo = None
html_show_copyright = False
# Tables of results are wide. site.css has the colours, for light mode and dark mode.
html_theme_options.update(
    description=version, body_max_width="58em",
    base_bg="var(--paper)", base_text="var(--ink)", body_text="var(--ink)",
    gray_1="var(--ink)", gray_2="var(--box)", gray_3="var(--line)", hr_border="var(--line)",
    link="var(--link)", link_hover="var(--hover)", footer_text="var(--faint)",
    sidebar_text="var(--faint)", sidebar_list="var(--ink)", sidebar_search_button="var(--line)",
    sidebar_link_underscore="var(--line)", anchor="var(--line)", anchor_hover_bg="var(--box)",
    narrow_sidebar_bg="var(--box)", narrow_sidebar_fg="var(--ink)",
    narrow_sidebar_link="var(--link)", table_border="var(--line)", footnote_bg="var(--paper)",
    code_bg="var(--box)", code_text="var(--ink)", code_hover="var(--box)", shadow="transparent",
    highlight_bg="var(--mark)", code_highlight="var(--mark)", viewcode_target_bg="var(--mark)",
    xref_bg="var(--box)", xref_border="var(--line)")
html_static_path = [*html_static_path, str(pathlib.Path(__file__).parent / "static")]
html_css_files = ["site.css"]

# README.md, other texts in Markdown, and the man pages as mandoc makes them
extensions.append("myst_parser")
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
# links to their headings
myst_heading_anchors = 3


class Search(SearchEnglish):
    """A version such as 7.3 is one word."""
    _word_re = re.compile(r"\d+(?:\.\d+)+|\w+")
    js_splitter_code = r"""
        var splitQuery = (query) =>
            query.match(/\d+(?:\.\d+)+|[\p{Letter}\p{Number}_]+/gu) ?? [];
    """


languages["en"] = Search
