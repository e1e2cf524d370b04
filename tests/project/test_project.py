"""The project keeps its word: README, package list, scenarios, and what a process imports."""

import configparser
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
README = (REPOSITORY / "README.md").read_text()
SCENARIOS = sorted((REPOSITORY / "scenarios").glob("*.yaml"))
COMMANDS = re.findall(r"^    (twin .+)$", README, re.MULTILINE)


def setup_cfg() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    config.read(REPOSITORY / "setup.cfg")
    return config


def lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


def run(code: str, *arguments: str, folder: Path = REPOSITORY, **extra: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, **extra}
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    return subprocess.run(
        command, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def loaded_after(code: str) -> set[str]:
    done = run(code + "\nimport sys, json; print(json.dumps(sorted(sys.modules)))")
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def packages_of(modules: set[str]) -> set[str]:
    return {name.split(".")[0] for name in modules}


def test_ci_runs_the_readme_s_test_command_and_nothing_else_for_tests():
    (command,) = [line for line in README.splitlines() if "pytest" in line and line.startswith("    ")]
    ran = [line for line in (REPOSITORY / ".ci" / "run").read_text().splitlines() if "pytest" in line]
    assert ran == [command.strip()]


def test_the_readme_s_first_screen_fits_thirty_lines_with_its_commands_and_a_result():
    first = README.split("\n## ")[0].splitlines()
    assert len(first) <= 30
    assert sum(line.strip().startswith("python3 -m venv .venv && ") for line in first) == 2
    assert any(line.startswith("> ") for line in first)


def test_every_command_line_of_the_readme_runs(tmp_path):
    for text in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL):
        name = re.search(r"^name: (\w+)$", text, re.MULTILINE)[1]
        (tmp_path / f"{name}.yaml").write_text(text)
    assert len(COMMANDS) >= 8
    for command in COMMANDS:
        words = re.sub(r"-n \d+", "-n 2", command).split()
        done = run("import sys; from twin.cli import main; sys.exit(main())", *words[1:], folder=tmp_path)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
    python = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    for code in python:
        done = run(code, folder=tmp_path)
        assert done.returncode == 0, f"{code}\n{done.stderr}"


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_a_scenario_opens_with_its_question_what_it_shows_and_what_to_expect(file):
    comment = []
    for line in file.read_text().splitlines():
        if not line.startswith("#"):
            break
        comment.append(line)
    words = [line[2:].split()[0] for line in comment if re.match(r"# [A-Z]\w+  ", line)]
    assert words[:3] == ["Question", "Shows", "Expect"]


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_the_readme_names_every_scenario(file):
    assert f"| {file.stem} |" in README


def test_the_wheel_carries_every_package_and_the_scenarios():
    config = setup_cfg()
    folders = {file.parent.relative_to(REPOSITORY) for file in (REPOSITORY / "twin").rglob("*.py")}
    packages = {".".join(folder.parts) for folder in folders}
    assert sorted(lines(config["options"]["packages"])) == sorted({*packages, "twin.scenarios"})
    assert lines(config["options"]["package_dir"]) == ["twin.scenarios = scenarios"]
    assert config["options.package_data"]["twin.scenarios"] == "*.yaml, claims/*.yaml"
    assert (REPOSITORY / "twin" / config["options.package_data"]["twin"]).is_file()


def test_every_dependency_is_explained_in_the_changelog():
    options, extras = setup_cfg()["options"], setup_cfg()["options.extras_require"]
    listed = lines(options["install_requires"]) + [line for extra in extras.values() for line in lines(extra)]
    names = {re.split(r"[ ;]", line)[0] for line in listed} - {"%(test)s", "%(docs)s"}
    table = re.findall(r"^\| ([a-z0-9., -]+) \|", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    explained = {name for cell in table for name in cell.split(", ")}
    assert names <= explained


def test_importing_twin_compiles_and_simulates_nothing():
    assert not packages_of(loaded_after("import twin")) & {"numba", "simpy", "pandas", "scipy", "h5py"}


def test_reading_traces_needs_no_simulation():
    modules = loaded_after("import twin.trace, twin.store, twin.metrics, twin.finance, twin.estimate, twin.compare")
    assert not packages_of(modules) & {"numba", "simpy", "pandas", "scipy"}
    assert not [name for name in modules if re.match(r"twin\.(kernel|chance|plant|world|parts|simulate)", name)]


def test_a_worker_imports_no_pandas_and_of_scipy_only_what_numba_itself_imports():
    numba = loaded_after("import numba\nnumba.njit(lambda x: x + 1)(1)")
    worker = loaded_after(
        "from twin import metrics\n"
        "from twin.scenario.load import load\n"
        "from twin.simulator import Simulator\n"
        "metrics.row(Simulator(load('02_one_outage')).run(0, 'ledger'))"
    )
    own = worker - numba
    assert not packages_of(own) & {"pandas", "scipy", "pvlib"}
    assert not packages_of(worker) & {"pandas", "pvlib"}


def test_a_fleet_imports_scipy_only_for_the_policy_that_solves_assignments():
    numba = loaded_after("import numba\nnumba.njit(lambda x: x + 1)(1)")
    code = (
        "from twin.scenario.load import load\n"
        "from twin.simulator import Simulator\n"
        "Simulator(load('06_truck_fleet'), '{}').run(0, 'ledger')"
    )
    assert "scipy" not in packages_of(loaded_after(code.format("preposition")) - numba)
    assert "scipy" in packages_of(
        loaded_after(
            code.format("optimised") + "\nfrom twin.fleet.policies.optimised import assign, np\nassign(np.eye(2))"
        )
        - numba
    )
