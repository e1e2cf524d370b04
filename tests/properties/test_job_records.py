"""Laws of the job readers: whatever stands in a file becomes jobs or rejected rows, or the input is refused."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twin.errors import InputError
from twin.inputs.jobs.read import LAYOUTS, read_record
from twin.inputs.jobs.schema import STATES
from twin.inputs.jobs.table import table_lines

ODD = [
    "",
    "0",
    "1",
    "8",
    "-1",
    "1e999",
    "9" * 30,
    "nan",
    "Unknown",
    "x",
    "0001-01-01",
    "99999999999-1:1",
    "\u0663:\u0663",
]
GOOD = ["1", "2", "8", "40", "2024-05-01T08:00:00", "2024-05-01 09:00:00", "2024-05-01 07:00:00+09:00", "01:00:00",
        "gres/gpu=4", "completed"]  # fmt: skip
CELL = st.one_of(
    st.sampled_from(GOOD),
    st.sampled_from(ODD),
    st.text(max_size=6).filter(lambda text: not set(text) & set("\r\n\0")),
)
HEADS = {
    "table": [
        "job_id",
        "submit_s",
        "start_s",
        "end_s",
        "duration_s",
        "gpus",
        "state",
        "checkpointable",
        "priority",
        "servers",
        "requested_s",
    ],
    "slurm": ["JobID", "Submit", "Start", "End", "Elapsed", "State", "AllocTRES", "NNodes", "Timelimit", "Priority"],
    "alibaba": ["name", "num_gpu", "gpu_milli", "qos", "pod_phase", "creation_time", "deletion_time", "scheduled_time"],
    "acme_helios": ["job_id", "user", "gpu_num", "node_num", "state", "submit_time", "start_time", "end_time"],
    "swf": [f"{k}" for k in range(18)],
}
VALUE = st.recursive(
    st.one_of(st.none(), st.integers(-9, 9), CELL), lambda inner: st.lists(inner, max_size=2), max_leaves=4
)
SERVERS = st.one_of(VALUE, st.lists(st.fixed_dictionaries({"gpus": VALUE})))
ATTEMPT = st.fixed_dictionaries({"start_time": CELL, "end_time": CELL, "detail": SERVERS})
PHILLY_JOB = st.fixed_dictionaries(
    {"jobid": CELL, "submitted_time": CELL, "attempts": st.lists(st.one_of(VALUE, ATTEMPT), max_size=2)}
)


@st.composite
def files(draw):
    """A layout and the text of a file that is about of it."""
    layout = draw(st.sampled_from([*HEADS, "philly"]))
    if layout == "philly":
        text = json.dumps(draw(st.lists(PHILLY_JOB, max_size=3)))
        return layout, text[: draw(st.integers(1, len(text)))] if draw(st.booleans()) else text
    head = HEADS[layout]
    between = {"slurm": "|", "swf": " "}.get(layout, ",")
    rows = draw(st.lists(st.lists(CELL, min_size=len(head) - 1, max_size=len(head)), max_size=4))
    return layout, "\n".join(between.join(row) for row in [head, *rows]) + "\n"


@given(files())
def test_a_file_becomes_jobs_and_rejected_rows_or_is_refused(tmp_path_factory, made):
    layout, text = made
    path = tmp_path_factory.getbasetemp() / "record"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    for name in (layout, None):
        try:
            reading = read_record(path, name)
        except InputError:
            continue
        jobs = reading.jobs
        assert len(jobs) == len(set(jobs.job_id)) == reading.rows - len(reading.rejected)
        assert (jobs.duration_s > 0).all()
        assert (jobs.gpus >= 1).all()
        assert (jobs.submit_s >= 0).all()
        assert (np.diff(jobs.submit_s) >= 0).all()
        assert not (jobs.start_s < jobs.submit_s).any()
        assert set(jobs.state) <= set(STATES)
        path.write_text("\n".join(table_lines(jobs)) + "\n")
        again = read_record(path, "table").jobs
        assert again.job_id == jobs.job_id
        np.testing.assert_array_equal(again.duration_s, jobs.duration_s)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))


def test_every_layout_of_text_is_tried():
    assert {*HEADS, "philly"} == set(LAYOUTS) - {"opendc"}
