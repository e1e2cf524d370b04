"""Loading as a whole: digest, data files, shipped scenarios, schema, pickling."""

import hashlib
import json
import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_model import Small

from twin.errors import InputError, Problem
from twin.scenario import shipped as shipped_module
from twin.scenario.files import ORIGINS, file_digest, folder_digest
from twin.scenario.load import find, load, shipped
from twin.scenario.schema import json_schema
from twin.scenario.study import Study

Loader = Callable[..., "Study[Small]"]
Problems = Callable[..., list[Problem]]

CONTENT: dict[str, Any] = {
    "name": "all",
    "sites": {
        "n": {
            "feeders": {"A": {"rated_kw": {"value": 3, "low": 1, "high": 9}}, "B": {"rated_kw": 2.0}},
            "steps": [1, 2],
        },
        "s": {"feeders": {}, "protection": {"ups": {"type": "big", "modules": 2}, "cabinets": 3}},
    },
    "catalogue": {"big": {"rated_kw": 3, "auxiliary_kw": 1}, "huge": {"type": "big", "rated_kw": 9}},
    "designs": {
        "a": {"sites.*.export_allowed": True, "sites": {"n": {"export_allowed": False}}},
        "b": {"like": "a", "sites.s.protection": {"ups": {"type": "huge"}, "cabinets": None}},
    },
}


def shuffled(data: Any, luck: random.Random) -> Any:
    if isinstance(data, dict):
        keys = list(data)
        luck.shuffle(keys)
        return {key: shuffled(data[key], luck) for key in keys}
    return data


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_the_order_of_entries_changes_neither_digest_nor_result(write: Callable[..., Path], seed: int) -> None:
    wanted = load(write(json.dumps(CONTENT), "a.yaml"), Small)
    found = load(
        write(json.dumps(shuffled(CONTENT, random.Random(seed)), indent=1) + "\n# a comment\n", f"x/{seed}.yaml"), Small
    )
    assert found.digest == wanted.digest
    assert found.designs == wanted.designs
    assert [list(one.sites) for one in found.designs.values()] == [list(one.sites) for one in wanted.designs.values()]
    for design in ("base", "a", "b"):
        assert found.resolved_json(design) == wanted.resolved_json(design)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rated_kw: 2", "rated_kw: 3"),
        ("low: 1", "low: 2"),
        ("cabinets: 1", "cabinets: 2"),
        ("base says", "someone says"),
    ],
)
def test_the_digest_covers_values_ranges_designs_and_sources(write: Callable[..., Path], old: str, new: str) -> None:
    text = """
source: base says
sites: {n: {feeders: {A: {rated_kw: 2}, B: {rated_kw: {value: 3, low: 1, high: 4}}}}}
designs: {a: {sites.n.protection.cabinets: 1}}
"""
    assert load(write(text), Small).digest != load(write(text.replace(old, new), "t.yaml"), Small).digest


def queue(name: str) -> str:
    return f"sites: {{}}\njobs:\n  q:\n    kind: queue\n    trace_file: {name}\n"


def test_a_file_is_found_beside_the_file_that_names_it_and_hashed(write: Callable[..., Path]) -> None:
    data = write("1,2\n", "base/data/jobs.csv")
    write(queue("data/jobs.csv"), "base/far.yaml")
    loaded = load(write("extends: base/far.yaml\n"), Small)
    digest = hashlib.sha256(b"1,2\n").hexdigest()
    assert loaded.files == (("data/jobs.csv", str(data), digest),)
    assert loaded.base.jobs["q"].model_dump()["trace_file"] == str(data)
    assert json.loads(loaded.resolved_json())["jobs"]["q"]["trace_file"] == {"name": "data/jobs.csv", "sha256": digest}
    assert str(data.parent) not in loaded.resolved_json()


def test_a_file_inside_a_law_is_found_too(write: Callable[..., Path]) -> None:
    write("1\n", "durations.csv")
    momentary = "{per_year: 1, duration_s: {law: empirical, file: durations.csv}}"
    text = f"sites: {{n: {{feeders: {{A: {{rated_kw: 1, momentary: {momentary}}}}}}}}}"
    assert [file.name for file in load(write(text), Small).files] == ["durations.csv"]


def test_the_digest_follows_the_content_of_files_not_their_place(write: Callable[..., Path]) -> None:
    for folder, content in (("a", "1\n"), ("b", "1\n"), ("c", "2\n")):
        write(content, f"{folder}/jobs.csv")
    digests = [load(write(queue("jobs.csv"), f"{folder}/s.yaml"), Small).digest for folder in "abc"]
    assert digests[0] == digests[1] != digests[2]


def test_the_digest_of_a_file_that_changed_is_taken_anew(tmp_path: Path) -> None:
    path = tmp_path / "data" / "a.csv"
    path.parent.mkdir()
    path.write_text("1")
    first = (file_digest(path), folder_digest(path.parent))
    path.write_text("22")
    assert file_digest(path) == hashlib.sha256(b"22").hexdigest()
    assert first[0] != file_digest(path)
    assert first[1] != folder_digest(path.parent)


def test_twin_data_names_the_folder_of_data(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    data = write("1\n", "records/jobs_philly_2017/jobs.csv")
    monkeypatch.setenv("TWIN_DATA", str(data.parents[1]))
    loaded = load(write(queue("${TWIN_DATA}/jobs_philly_2017/jobs.csv")), Small)
    assert loaded.files[0][:2] == ("${TWIN_DATA}/jobs_philly_2017/jobs.csv", str(data))


def test_without_twin_data_the_folder_beside_the_current_one_is_meant(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = write("1\n", "shared/data/jobs.csv")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.delenv("TWIN_DATA", raising=False)
    assert load(write(queue("${TWIN_DATA}/jobs.csv")), Small).files[0].path == str(data)


def test_a_missing_record_names_its_public_origin_and_the_remedy(
    problems: Problems, study: Loader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TWIN_DATA", str(tmp_path))
    text = queue("${TWIN_DATA}/jobs_philly_2017/jobs.csv")
    (problem,) = problems(text)
    assert (problem.line, problem.key) == (5, "jobs.q.trace_file")
    assert "msr-fiddle/philly-traces on GitHub (CC BY 4.0)" in problem.message
    assert problem.remedy == "set TWIN_DATA to the folder that holds jobs_philly_2017"
    loaded = study(text, require_files=False)
    assert loaded.missing == (problem,)
    assert loaded.files[0].sha256 is None
    assert len(loaded.digest) == 64


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("gone.csv", "no file gone.csv"),
        ("'${HOME}/x.csv'", "${HOME} cannot stand in a path"),
        ("'${TWIN_DATA'", "cannot stand in a path"),
        ("''", "must name a file, is empty"),
        ("'.'", ". is a folder, not a file"),
    ],
)
def test_a_bad_file_name_is_refused_with_its_line(problems: Problems, name: str, part: str) -> None:
    (problem,) = problems(queue(name))
    assert part in problem.message
    assert (problem.line, problem.key) == (5, "jobs.q.trace_file")


def test_every_folder_of_records_has_a_known_origin(real_data: Callable[[str], Path]) -> None:
    folder = real_data("jobs_philly_2017").parent
    assert {one.name for one in folder.iterdir() if (one / "README.md").is_file()} == set(ORIGINS)


def test_a_study_and_its_problems_can_be_pickled(study: Loader, problems: Problems) -> None:
    loaded = study(json.dumps(CONTENT))
    assert pickle.loads(pickle.dumps(loaded)) == loaded
    found = problems("sites: 3\n")
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_design_that_is_not_there_is_suggested(study: Loader) -> None:
    loaded = study(json.dumps(CONTENT))
    assert loaded.scenario("b") is loaded.designs["b"]
    with pytest.raises(InputError, match="no design 'c'"):
        loaded.scenario("c")


def test_a_shipped_scenario_is_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "twin").mkdir()
    (tmp_path / "scenarios").mkdir()
    flagship = tmp_path / "scenarios" / "01_flagship.yaml"
    flagship.write_text("sites: {}\n")
    monkeypatch.setattr(shipped_module, "_PACKAGE", tmp_path / "twin")
    assert shipped() == {"01_flagship": flagship}
    assert find("01_flagship") == find("01_flagship.yaml") == find(flagship) == flagship
    assert load("01_flagship", Small).path == flagship
    with pytest.raises(InputError) as caught:
        find("01_flagshp")
    assert caught.value.problems[0].remedy == "did you mean 01_flagship?"
    with pytest.raises(InputError, match="is a folder"):
        find(tmp_path)


def test_the_schema_lets_numbers_have_ranges_and_designs_be_free() -> None:
    schema = json_schema(Small)
    feeder = schema["$defs"]["Feeder"]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert feeder["properties"]["rated_kw"]["anyOf"] == [
        {"type": "number", "exclusiveMinimum": 0, "maximum": 1e100},
        {"$ref": "#/$defs/ParameterWithRange"},
    ]
    assert feeder["properties"]["rated_kw"]["description"] == "what the feeder carries"
    assert feeder["anyOf"] == [{"required": ["type"]}, {"required": ["rated_kw"]}]
    designs = schema["$defs"]["ScenarioFile"]["properties"]["designs"]
    assert designs["additionalProperties"]["type"] == "object"
    assert schema["then"]["properties"]["extends"]["type"] == "string"
    json.dumps(schema)
