"""How the documentation is built: `python -m sphinx -W --keep-going docs build/docs`, without network."""

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

from twin.version import VERSION  # noqa: E402 - the path must be set first

project = "twin"
author = "The twin developers"
copyright = f"2026, {author}"
version = release = VERSION

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "mathml",
    "reference",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_ext", "_static"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
myst_links_external_new_tab = False
suppress_warnings = ["myst.strikethrough"]

autodoc_member_order = "bysource"
autodoc_class_signature = "separated"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"twin {VERSION}"
html_static_path = ["_static"]
html_css_files = ["twin.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
pygments_style = "friendly"
html_theme_options = {"navigation_with_keys": True}

# Results of benchmarks are kept beside the scripts; the pages take them from there.
shutil.copytree(HERE.parent / "benchmarks" / "results", HERE / "results", dirs_exist_ok=True)
