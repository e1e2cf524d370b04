"""Directives that print what the code says, so that no page can go stale: keys, columns, metrics, modules."""

import ast
import re
from collections.abc import Iterable, Sequence
from importlib import import_module
from inspect import cleandoc, getdoc
from pathlib import Path
from typing import Any

import blocks
from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from twin.metrics.names import CHAIN_ROOTS, METRICS, OUTCOMES, chain_metric
from twin.schema_trace import SCHEMA
from twin.units import unit_of

Cell = str | Sequence[nodes.Node]
_EXAMPLE = re.compile(r"^([^:\s].*[^:]):(\n\n {4})", re.MULTILINE)
"""A line that ends in a colon above an indented block: what is indented is an example, shown as it stands."""
REPOSITORY = Path(__file__).resolve().parents[2]


class _Printing(SphinxDirective):
    """What the directives share: tables, and prose from docstrings."""

    has_content = False
    optional_arguments = 1
    final_argument_whitespace = True

    def prose(self, text: str) -> list[nodes.Node]:
        """A docstring as Markdown, which ours are."""
        inside = nodes.container()
        self.state.nested_parse(StringList(cleandoc(text).split("\n"), self.get_source_info()[0]), 0, inside)
        return list(inside.children)

    def table(
        self, heads: Sequence[str], widths: Sequence[int], rows: Iterable[Sequence[Cell]], kind: str
    ) -> nodes.table:
        """A table; cells are text, in which `x` is code, or nodes."""
        group = nodes.tgroup(cols=len(heads))
        group += [nodes.colspec(colwidth=width) for width in widths]
        head, body = nodes.thead(), nodes.tbody()
        head += _row(heads)
        body += [_row(row) for row in rows]
        group += [head, body]
        return nodes.table("", group, classes=[kind])


def _row(cells: Sequence[Cell]) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        inside = _words(cell) if isinstance(cell, str) else cell
        row += nodes.entry("", nodes.paragraph("", "", *inside))
    return row


def _words(text: str) -> list[nodes.Node]:
    """Text with its `code` as literals."""
    parts = text.split("`")
    return [nodes.literal(part, part) if k % 2 else nodes.Text(part) for k, part in enumerate(parts) if part]


class Keys(_Printing):
    """`{keys} twin.parts.ups.UpsSpec ...`: what each block is, where it stands in a scenario, and its keys."""

    def run(self) -> list[nodes.Node]:
        """A heading line, the model's docstring and a table for each named block."""
        named = [_block(name) for name in self.arguments[0].split()]
        return [node for block in named for node in self.block(block)]

    def block(self, block: blocks.Block) -> list[nodes.Node]:
        """One block."""
        place = _PLACES[block]
        title = f"`{place}`" if place else "The root of the file"
        name = blocks.label(block)
        head = nodes.rubric("", "", *_words(title), ids=[name], names=[name], classes=["block"])
        self.env.domains.standard_domain.note_hyperlink_target(name, self.env.docname, name, place or "root")
        rows = [self.key(key) for key in blocks.keys(block)]
        found: list[nodes.Node] = [head, *self.prose(getdoc(block) or "")]
        if rows:
            found.append(self.table(("key", "value", "default", "meaning"), (28, 26, 12, 34), rows, "keys"))
        return found

    def key(self, key: blocks.Key) -> list[Cell]:
        """A row of the table."""
        kind: list[nodes.Node] = list(_words(key.kind))
        if key.kind.startswith("law"):
            kind = [_link("laws", "law"), *_words(key.kind.removeprefix("law"))]
        for one in key.blocks:
            kind += [nodes.Text(" "), _link(blocks.label(one), one.__name__.removesuffix("Spec"))]
        if key.unit:
            kind.append(nodes.Text(f" [{key.unit}]"))
        return [f"`{key.name}`", kind, key.default, key.meaning]


class OtherKeys(Keys):
    """`{other-keys}`: the blocks that no page names, so that none is missing."""

    def run(self) -> list[nodes.Node]:
        """They, in order of their place."""
        self.env.note_reread()  # any other page may name more of them
        told = _told(Path(self.env.srcdir))
        rest = sorted((place, block.__name__, block) for block, place in _PLACES.items() if block not in told)
        return [node for _, _, block in rest for node in self.block(block)]


class TraceTables(_Printing):
    """`{trace-tables}`: every table of a trace and its columns."""

    def run(self) -> list[nodes.Node]:
        """A heading line and a table for each."""
        found: list[nodes.Node] = []
        for name, columns in SCHEMA.items():
            rows = [[f"`{one}`", kind, unit_of(one), meaning] for one, (kind, meaning) in columns.columns.items()]
            found += [
                nodes.rubric("", "", *_words(f"`{name}`"), classes=["block"]),
                nodes.paragraph("", f"One row is {columns.row}."),
                self.table(("column", "type", "unit", "meaning"), (28, 10, 8, 54), rows, "columns"),
            ]
        return found


class Metrics(_Printing):
    """`{metrics}`: every metric with its unit, its meaning and which way is better."""

    def run(self) -> list[nodes.Node]:
        """One table; the pairs of root and outcome, which are alike, in two more."""
        pairs = {chain_metric(root, outcome) for root in CHAIN_ROOTS for outcome in OUTCOMES}
        rows = [[f"`{name}`", one.unit, one.better, one.meaning] for name, one in METRICS.items() if name not in pairs]
        text = f"Beside them {len(pairs)} metrics `lost_gpu_h_ROOT_OUTCOME_per_year`, one for each pair of"
        return [
            self.table(("metric", "unit", "better", "meaning"), (34, 14, 8, 44), rows, "columns"),
            nodes.paragraph("", "", *_words(f"{text} a root and an outcome:")),
            self.table(("root", "begun by"), (30, 70), ([f"`{k}`", v] for k, v in CHAIN_ROOTS.items()), "columns"),
            self.table(
                ("outcome", "what came last"), (30, 70), ([f"`{k}`", v] for k, v in OUTCOMES.items()), "columns"
            ),
        ]


class FromCode(_Printing):
    """`{from-code} twin.parts.ups ...`: what the docstrings of modules say of the model."""

    def run(self) -> list[nodes.Node]:
        """Their paragraphs, each followed by the module's name."""
        found: list[nodes.Node] = []
        for name in self.arguments[0].split():
            inside = self.prose(import_module(name).__doc__ or "")
            inside.append(nodes.paragraph("", "", nodes.literal(name, name), classes=["module"]))
            found.append(nodes.container("", *inside, classes=["from-code"]))
        return found


class Scenarios(_Printing):
    """`{scenarios}`: the shipped scenarios with their questions, as the files open with them."""

    def run(self) -> list[nodes.Node]:
        """One table."""
        rows = []
        for file in sorted((REPOSITORY / "scenarios").glob("*.yaml")):
            self.env.note_dependency(str(file))
            head = file.read_text(encoding="utf-8").partition("\n# Shows")[0]
            question = " ".join(line.removeprefix("#").strip() for line in head.splitlines())
            rows.append([f"`{file.stem}`", question.removeprefix("Question").strip()])
        return [self.table(("name", "question"), (25, 75), rows, "columns")]


class Benchmarks(_Printing):
    """`{benchmarks}`: the scripts of benchmarks/ that are run, with what they say of themselves."""

    def run(self) -> list[nodes.Node]:
        """One table."""
        rows = []
        for file in sorted((REPOSITORY / "benchmarks").glob("*.py")):
            self.env.note_dependency(str(file))
            text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
            commands = re.findall(r"python benchmarks/\S+(?: [A-Za-z\[][^#\n]*| -[^#\n]*)?", text)
            if commands:
                lines = [nodes.literal(one, one.strip()) for one in commands]
                spaced = [node for one in lines for node in (one, nodes.Text(" "))]
                rows.append([spaced, " ".join(text.partition("\n\n")[0].split())])
        return [self.table(("command", "what it measures"), (45, 55), rows, "commands")]


def _link(target: str, text: str) -> nodes.Node:
    link = addnodes.pending_xref(
        "", refdomain="std", reftype="ref", reftarget=target, refexplicit=True, refwarn=True, refdoc=""
    )
    link += nodes.inline("", text)
    return link


def _block(name: str) -> blocks.Block:
    module, _, own = name.rpartition(".")
    found: blocks.Block = getattr(import_module(module), own)
    return found


def _told(folder: Path) -> set[blocks.Block]:
    """The blocks that pages name with `{keys}`."""
    lines = [line for page in sorted(folder.rglob("*.md")) for line in page.read_text(encoding="utf-8").splitlines()]
    named = [line.partition("{keys}")[2].split() for line in lines if line.startswith("```{keys}")]
    return {_block(name) for names in named for name in names}


_PLACES = blocks.places()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    for name, directive in (
        ("keys", Keys), ("other-keys", OtherKeys), ("trace-tables", TraceTables), ("metrics", Metrics),
        ("from-code", FromCode), ("scenarios", Scenarios), ("benchmarks", Benchmarks),
    ):  # fmt: skip
        app.add_directive(name, directive)
    app.connect("autodoc-process-docstring", _as_code)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _as_code(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:  # noqa: ARG001
    """In docstrings `x` is code, as in Markdown; reStructuredText wants two marks."""
    inside = "\n".join(lines).replace("``", "`").replace("`", "``")
    lines[:] = _EXAMPLE.sub(r"\1::\2", inside).split("\n")
