"""The work of a campaign as bytes, small enough to travel: what a simulation needs of a study, and nothing else.

Data files are named, not sent: workers on other machines need them under the same path. A user's policy is sent
as text, where code is allowed at all.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

from twin.parts.ems import read_source
from twin.scenario.files import File
from twin.scenario.model import Scenario
from twin.scenario.study import Study


def pack(study: Study[Scenario], rare: dict[str, Any] | None = None) -> bytes:
    """All designs of a study, and of a rare-event campaign what is biased; the same bytes for the same work."""
    data = {
        "name": study.name,
        "digest": study.digest,
        "allow_code": study.allow_code,
        "code": _code(study),
        "base": study.base.model_dump_json(),
        "designs": [(name, one.model_dump_json()) for name, one in study.designs.items()],
        "files": [file._asdict() for file in study.files],
        "rare": rare,
    }
    return zlib.compress(json.dumps(data, sort_keys=True).encode())


def unpack_rare(packed: bytes) -> dict[str, Any] | None:
    """What is biased; None in a plain campaign."""
    rare: dict[str, Any] | None = json.loads(zlib.decompress(packed))["rare"]
    return rare


def unpack(packed: bytes) -> Study[Scenario]:
    """The study again, without its text, positions, sources and ranges."""
    data = json.loads(zlib.decompress(packed))
    return Study(
        path=Path(data["name"]),
        text="",
        name=data["name"],
        base=Scenario.model_validate_json(data["base"]),
        designs={name: Scenario.model_validate_json(text) for name, text in data["designs"]},
        design_ranges={},
        design_sources={},
        design_positions={},
        files=tuple(File(**file) for file in data["files"]),
        missing=(),
        digest=data["digest"],
        allow_code=data["allow_code"],
        code=data["code"],
    )


def _code(study: Study[Scenario]) -> dict[str, str]:
    """The text of every policy file, by path."""
    if not study.allow_code:
        return {}
    plans = [site.ems for one in study.designs.values() for site in one.sites.values() if site.ems is not None]
    return {file: read_source(file) for file in sorted({plan.policy_file for plan in plans if plan.policy_file})}
