import json
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from twin.check.carrying import check_design, check_study
from twin.cli.app import twin
from twin.experiment import reseeded, run_designs
from twin.scenario.load import load, shipped

QUICK = "02_one_outage"


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)


def invoke(*arguments, code=0):
    result = CliRunner().invoke(twin, [str(one) for one in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def strict_json(text):
    def refuse(word):
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


def design(name, scenario="01_flagship", **changes):
    study = load(scenario)
    return check_design(name, study.designs[name])


class TestCheck:
    def test_warns_that_one_vendor_cabinet_cannot_carry_its_row(self):
        output = " ".join(invoke("check", "01_flagship").stdout.split())
        expected = "row-001..row-016 cannot be carried: 125 kW of cabinets against 675 kW (idle row 224 kW)"
        assert f"cabinets_vendor_4mwh: {expected}" in output

    def test_a_row_with_eight_cabinets_lasts_its_energy_over_its_power(self):
        rows = next(one for one in design("cabinets").sites[0].carriers if one.groups == {"rows"})
        needs_kw = 40 + 80 * 8.0 * (1 - 0.084 * 13 / 142)
        assert rows.needs_kw == pytest.approx(needs_kw)
        assert (rows.storage_kw, rows.one_less_kw) == (1000, 875)
        assert rows.autonomy_h == pytest.approx(8 * 261 * 0.9 * 0.95 / (needs_kw + 16))

    def test_an_n_plus_r_ups_counts_its_modules(self):
        block = next(one for one in design("central_ups").sites[0].carriers if one.kind == "ups")
        assert block.names == ("ups-1", "ups-2", "ups-3", "ups-4")
        assert (block.storage_kw, block.one_less_kw) == (4000, 3200)
        assert block.autonomy_h == pytest.approx(3200 * 0.25 / block.needs_kw)

    def test_all_lines_fit_eighty_columns(self):
        for line in invoke("check", "01_flagship").stdout.splitlines()[1:]:
            assert len(line) <= 80, line

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"topology": "grid_following"}, "carry nothing"),
            ({"transfer_ms": {"law": "fixed", "value": 25.0}}, "picks up nothing"),
            ({"transfer_ms": {"law": "uniform", "low": 10.0, "high": 26.0}}, "in about 50 of 100 events"),
            ({"cooling": 0}, "rows trip on heat 60 s after"),
            ({"core": 0}, "the core is bare"),
            ({"per_row": 6}, "no cabinet to spare"),
        ],
    )
    def test_each_weakness_of_cabinets_is_named(self, change, words):
        scenario = load("01_flagship").designs["cabinets"]
        assert not any(words in text for text in check_design("cabinets", scenario).warnings)
        data = scenario.model_dump(mode="json")
        data["sites"]["campus"]["protection"]["cabinets"] |= change
        changed = type(scenario).model_validate_json(json.dumps(data))
        assert any(words in text for text in check_design("cabinets", changed).warnings)

    @pytest.mark.parametrize(
        ("path", "value", "words"),
        [
            (("protection", "ups", "modules", "rated_kw"), 500.0, "cannot carry its load"),
            (("protection", "ups", "modules", "rated_kw"), 700.0, "is overloaded"),
            (("protection", "gensets", "n"), 6, "gensets are short"),
            (("grid", "import_limit_kw"), 12000.0, "import limit of 12\u2009000 kW is below"),
            (("grid", "import_limit_kw"), 15700.0, "recharge would draw"),
            (("grid", "ramp_limit_kw_per_min"), 100.0, "nobody keeps the ramp limit"),
        ],
    )
    def test_each_weakness_of_a_central_supply_is_named(self, path, value, words):
        scenario = load("01_flagship").designs["central_ups"]
        assert not any(words in text for text in check_design("central_ups", scenario).warnings)
        data = scenario.model_dump(mode="json")
        block = data["sites"]["campus"]
        for key in path[:-1]:
            block = block[key]
        block[path[-1]] = value
        changed = type(scenario).model_validate_json(json.dumps(data))
        assert any(words in text for text in check_design("central_ups", changed).warnings)

    def test_missing_data_is_a_warning_that_names_the_public_original(self, monkeypatch, tmp_path):
        monkeypatch.setenv("TWIN_DATA", str(tmp_path / "nowhere"))
        output = " ".join(invoke("check", "03_philly_replay").stdout.split())
        assert "msr-fiddle/philly-traces" in output
        assert "msr-fiddle/philly-traces" in " ".join(invoke("run", "03_philly_replay", code=2).stderr.split())

    def test_json_holds_carriers_differences_and_warnings(self):
        found = strict_json(invoke("check", "01_flagship", "--format", "json").stdout)
        assert len(found["designs"]) == 7
        assert any("cabinets_vendor_4mwh" in text for text in found["warnings"])

    def test_every_shipped_scenario_checks(self, monkeypatch, tmp_path):
        monkeypatch.setenv("TWIN_DATA", str(tmp_path))
        for name in ("01_flagship_weak", QUICK, "03_philly_replay"):
            invoke("check", name)
            assert check_study(load(name, require_files=False))


class TestInit:
    def test_without_a_name_it_lists_what_ships(self):
        output = invoke("init").stdout
        assert "01_flagship_weak" in output
        assert QUICK in output

    def test_a_copy_loads_and_brings_the_file_it_extends(self, tmp_path):
        invoke("init", "01_flagship_weak", "-o", "mine.yaml")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["01_flagship.yaml", "mine.yaml"]
        assert load("mine.yaml").digest == load("01_flagship_weak").digest

    def test_nothing_is_overwritten(self, tmp_path):
        Path("01_flagship.yaml").write_text("mine")
        assert "is there already" in invoke("init", "01_flagship_weak", code=2).stderr
        assert [path.name for path in tmp_path.iterdir()] == ["01_flagship.yaml"]
        assert Path("01_flagship.yaml").read_text() == "mine"

    def test_an_unknown_name_gets_a_suggestion(self):
        assert "01_flagship" in invoke("init", "01_flagshp", code=2).stderr


class TestRunAndMetrics:
    def test_the_trace_gives_the_figures_that_run_printed(self, tmp_path):
        ran = strict_json(invoke("run", QUICK, "-o", "t.h5", "--format", "json").stdout)["traces"][0]
        read = strict_json(invoke("metrics", "t.h5", "--format", "json").stdout)["traces"][0]
        assert ran == read
        figures = {one["metric"]: one for one in read["figures"]}
        assert {"unit", "estimate", "low", "high", "n"} <= figures["pue"].keys()
        assert figures["job_interruptions_power_per_year"]["estimate"] == pytest.approx(365)
        assert figures["jobs_completed"]["n"] == 1

    def test_without_a_file_run_writes_nothing(self, tmp_path):
        assert "largest losses" in invoke("run", QUICK).stdout
        assert list(tmp_path.iterdir()) == []

    def test_a_file_that_is_no_trace_is_not_replaced(self, tmp_path):
        Path("mine.yaml").write_text("name: mine")
        assert "is not a trace" in invoke("run", QUICK, "-o", "mine.yaml", code=2).stderr
        assert Path("mine.yaml").read_text() == "name: mine"

    def test_replications_of_a_design_become_one_estimate(self):
        for k in range(3):
            invoke("run", "01_flagship", "--design", "cabinets", "--replication", k, "-o", f"{k}.h5")
        found = strict_json(invoke("metrics", "0.h5", "1.h5", "2.h5", "--format", "json").stdout)["traces"]
        figures = {one["metric"]: one for one in found[0]["figures"]}
        assert figures["pue"]["n"] == 3
        assert figures["pue"]["low"] < figures["pue"]["estimate"] < figures["pue"]["high"]
        assert "same replication" in invoke("metrics", "0.h5", "0.h5", code=2).stderr

    def test_another_seed_is_another_study(self):
        study = load(QUICK)
        assert reseeded(study, 5).digest != study.digest
        assert reseeded(study, study.base.seed).digest == study.digest


class TestCompare:
    def test_json_has_estimates_and_paired_differences(self):
        arguments = ("compare", "01_flagship", "-n", 2, "--designs", "utility_only,cabinets", "--format", "json")
        found = strict_json(invoke(*arguments, "--reference", "cabinets").stdout)
        assert found["reference"] == "cabinets"
        assert {one["design"] for one in found["differences"]} == {"utility_only"}
        assert all(one["n"] <= 2 for one in found["estimates"])

    def test_seven_designs_fit_eighty_columns(self):
        for line in invoke("compare", "01_flagship", "-n", 2).stdout.splitlines():
            assert len(line) <= 80, line

    def test_a_scenario_without_designs_is_estimated_alone(self):
        assert "base" in invoke("compare", QUICK, "-n", 1).stdout

    def test_an_unknown_design_or_reference_is_refused(self):
        assert "utility_only" in invoke("compare", "01_flagship", "--designs", "utilty_only", code=2).stderr
        invoke("compare", "01_flagship", "--designs", "cabinets", "--reference", "central_ups", code=2)
        invoke("compare", "01_flagship", "-n", 0, code=2)

    def test_the_same_luck_meets_a_design_whatever_stands_beside_it(self):
        study = load("01_flagship")
        _, alone = run_designs(study, ["cabinets"], 2)
        seen = []
        _, beside = run_designs(study, ["utility_only", "cabinets"], 2, lambda *now: seen.append(now[:2]))
        assert np.array_equal(alone["cabinets"], beside["cabinets"], equal_nan=True)
        assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]

    def test_ctrl_c_says_how_to_go_on(self, monkeypatch):
        import twin.experiment  # noqa: PLC0415

        def interrupted(study, designs, replications, progress=None, look=None):
            progress(2, 4, {})
            raise KeyboardInterrupt

        monkeypatch.setattr(twin.experiment, "run_designs", interrupted)
        stderr = invoke("compare", "01_flagship", "-n", 4, "--designs", "cabinets", code=130).stderr
        assert "2 of 4 replications done, nothing was written; run it again" in stderr


class TestBadInput:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("name: x\nsites: {a: {clutser: {}}}\n", "clutser"),
            ("{", "bad.yaml"),
            ("name: x\nextends: 01_flagshp.yaml\n", "no file 01_flagshp.yaml"),
        ],
    )
    def test_a_bad_file_is_one_message_a_problem(self, text, words, tmp_path):
        Path("bad.yaml").write_text(text)
        for command in (["check", "bad.yaml"], ["run", "bad.yaml", "-o", "t.h5"], ["compare", "bad.yaml"]):
            assert words in invoke(*command, code=2).stderr
        assert [path.name for path in tmp_path.iterdir()] == ["bad.yaml"]

    @pytest.mark.parametrize(
        ("old", "new", "words"),
        [
            ("rated_kw: 12", "rated_mw: 12", "rated_kw"),
            ("rated_kw: 12", "rated_kw: -12", "rated_kw"),
            ("rated_kw: 12", "rated_kw: .nan", "rated_kw"),
            ("servers_per_row: 10", "servers_per_row: 0", "servers_per_row"),
            ("gpus: 160", "gpus: 161", "gpus"),
        ],
    )
    def test_a_bad_value_is_named_with_its_line(self, old, new, words, tmp_path):
        invoke("init", QUICK, "-o", "s.yaml")
        text = Path("s.yaml").read_text()
        assert old in text
        Path("s.yaml").write_text(text.replace(old, new))
        stderr = invoke("run", "s.yaml", "-o", "t.h5", code=2).stderr
        assert words in stderr
        assert "s.yaml:" in stderr
        assert not Path("t.h5").exists()

    def test_a_foreign_or_cut_trace_is_refused(self):
        invoke("run", QUICK, "-o", "t.h5")
        Path("cut.h5").write_bytes(Path("t.h5").read_bytes()[:5000])
        Path("text.h5").write_text("hello")
        for name in ("cut.h5", "text.h5", "none.h5", "."):
            assert "error:" in invoke("metrics", name, code=2).stderr

    def test_a_malformed_record_names_its_row(self):
        invoke("init", "03_philly_replay", "-o", "s.yaml")
        text = Path("s.yaml").read_text()
        Path("jobs.csv").write_text("job_id,submit_s,duration_s,gpus\na,0,60,1\nb,10,-5,1\n")
        Path("d.csv").write_text("duration_min,cause\n30,equipment failure\n")
        text = text.replace("${TWIN_DATA}/jobs_philly_2017/jobs.csv.gz", "jobs.csv")
        Path("s.yaml").write_text(text.replace("${TWIN_DATA}/grid_outages_us_major/events.csv.gz", "d.csv"))
        assert "jobs.csv:3" in invoke("run", "s.yaml", code=2).stderr

    def test_a_bug_of_ours_is_confessed_with_exit_code_one(self, monkeypatch):
        import twin.scenario.load  # noqa: PLC0415

        def broken(*_, **__):
            raise RuntimeError("broken promise")

        monkeypatch.setattr(twin.scenario.load, "load", broken)
        assert "This is a bug in twin" in invoke("check", QUICK, code=1).stderr


def test_the_schema_is_json():
    assert "$defs" in strict_json(invoke("schema").stdout)


def test_figures_without_a_number_are_null():
    found = strict_json(invoke("run", QUICK, "--format", "json").stdout)
    waits = [one for one in found["traces"][0]["figures"] if one["metric"] == "mean_wait_h"]
    assert waits[0]["estimate"] is None
    assert not math.isnan(waits[0]["n"])


class TestTariff:
    def test_a_bill_is_printed_line_by_line_and_as_json(self):
        invoke("run", "08_tariff", "--design", "contracted", "-o", "t.h5")
        output = invoke("bill", "t.h5").stdout
        assert "energy_sharp" in output
        (found,) = strict_json(invoke("bill", "t.h5", "--format", "json").stdout)["bills"]
        assert f"{found['total']:,.2f}" in output
        assert round(sum(line["amount"] for line in found["lines"]), 2) == found["total"]
        assert found["total"] == round(sum(found["by_month"].values()), 2)
        demand = [line for line in found["lines"] if line["what"] == "demand"]
        assert [line["amount"] for line in demand] == [0.4 * 40_000 * 40.0] * 12

    def test_a_trace_without_tariff_has_no_bill(self):
        invoke("run", QUICK, "-o", "t.h5")
        assert "no site has a tariff" in invoke("bill", "t.h5", code=2).output

    def test_check_says_where_shaving_the_peak_saves_nothing(self):
        (warning,) = [text for text in design("contracted", "08_tariff").warnings if "saves nothing" in text]
        assert "(40 % of 40" in warning
        assert not [text for text in design("central_ups", "08_tariff").warnings if "saves" in text or "never" in text]

    def test_check_says_where_the_discount_is_out_of_reach_and_a_baseline_too_high(self, tmp_path):
        call = "{kw: 1000, baseline_kw: 30000, calls: [{at_h: 5, duration_h: 1}]}"
        changes = f"demand: {{discount: {{from_kwh_per_kva_month: 400}}}}, demand_response: {{x: {call}}}"
        file = tmp_path / "far.yaml"
        file.write_text(f"extends: {shipped()['08_tariff']}\nname: far\nsites.campus.tariff: {{{changes}}}\n")
        found = " ".join(check_design("central_ups", load(file).designs["central_ups"]).warnings)
        assert "the demand price is never cut: at most" in found
        assert "demand response x: the baseline of 30" in found
