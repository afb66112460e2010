"""How the documentation is built: MyST pages, and what the code prints of itself."""

import sys
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import ionbox

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import printed

project = "ionbox"
author = "the ionbox developers"
copyright = "the ionbox developers, Apache-2.0"
release = version = ionbox.__version__

extensions = ["myst_parser"]
exclude_patterns = ["_build", "_ext"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"ionbox {release}"


class Printed(SphinxDirective):
    """`{printed} NAME`: the part of that name, printed from the code."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        text = printed.PARTS[self.arguments[0]]()
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: Sphinx) -> None:
    app.add_directive("printed", Printed)
