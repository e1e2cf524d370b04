"""The same simulation in plain Python (NUMBA_DISABLE_JIT=1): kernels are functions that anybody may step through."""

import json
import os
import subprocess
import sys

import numpy as np

import twin
from twin import metrics

RUN = """
import json
import twin
from twin import metrics
from twin.powerflow import Network, solve
trace = twin.simulate(twin.load("02_one_outage"))
net = Network([0, 1], [1, 2], [0.1, 0.1], [0.1, 0.1], 10.0)
flow = solve(net, [[0.0, 100.0, 100.0]] * 300, [[0.0, 10.0, 10.0]] * 300, threads=1)
print(json.dumps([metrics.row(trace)[1].tolist(), trace.events["time_us"].tolist(), flow.v_pu[-1].tolist()]))
"""


def test_a_simulation_without_the_compiler_is_the_same():
    variables = os.environ | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "NUMBA_DISABLE_JIT": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN], env=variables, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    values, times_us, v_pu = json.loads(done.stdout)
    trace = twin.simulate(twin.load("02_one_outage"))
    assert times_us == trace.events["time_us"].tolist()
    np.testing.assert_allclose(values, metrics.row(trace)[1], rtol=1e-12, atol=1e-9)
    assert v_pu[0] == 1.0
    assert 0.99 < v_pu[2] < v_pu[1] < 1.0
