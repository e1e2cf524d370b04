"""One case in this process: the command runs under a clock, and what it did is compared with what it may do."""

import hashlib
import io
import os
import re
import resource
import shutil
import signal
import sys
import time
import traceback
import warnings
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

CPU_S, WALL_S = 10.0, 150.0
"""A hang is ten seconds of work, or waiting for what never comes; on a busy machine wall time says little."""
MEMORY_MAX = 1 << 30
SPACE_MAX = 8 << 30
"""Of addresses: keeps the machine safe from what the measured 1 GB would miss."""
TEXT_MAX = 20_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Overrun(BaseException):
    """The command took too long; no handler of ours may catch it."""


def prepare():
    """Limits and signals of a worker, once."""
    resource.setrlimit(resource.RLIMIT_AS, (SPACE_MAX, SPACE_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["TWIN_DEBUG"] = "1"
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, _overrun)
    warnings.simplefilter("always")
    warnings.simplefilter("ignore", DeprecationWarning)


_rang = []
"""What ran when a clock rang; a library that is compiling may swallow the exception."""


def _overrun(number, frame):
    _rang.append("".join(traceback.format_stack(frame)[-12:]))
    raise Overrun("".join(traceback.format_stack(frame)[-12:]))


def memory_kb(name="VmHWM"):
    """A line of the process's status; resident memory at its highest by default."""
    text = Path("/proc/self/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)[1])


def snapshot(folder):
    """Digest of every file below the folder by name; folders, pipes and links by their sort."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            found[name] = "special"
        else:
            found[name] = "folder" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def judge(case, folder):
    """Run the case's command in the folder; returns outcome, findings and figures."""
    before = snapshot(folder)
    out, err = io.StringIO(), io.StringIO()
    Path("/proc/self/clear_refs").write_text("5")
    os.chdir(folder)
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    code, overrun = None, None
    _rang.clear()
    try:
        signal.setitimer(signal.ITIMER_PROF, CPU_S)
        signal.setitimer(signal.ITIMER_REAL, WALL_S)
        with redirect_stdout(out), redirect_stderr(err):
            code = _command(case.arguments)
    except Overrun as late:
        overrun = str(late)
    except BaseException:  # noqa: BLE001 - what passes the command's own guard is a finding
        err.write(traceback.format_exc())
        code = "escaped"
    finally:
        for timer in (signal.ITIMER_PROF, signal.ITIMER_REAL):
            signal.setitimer(timer, 0)
        os.chdir("/")
    if _rang:
        code, overrun = None, _rang[0]
    took_s, cpu_s, peak_kb = time.monotonic() - began_s, time.process_time() - began_cpu_s, memory_kb()
    out, err = out.getvalue(), err.getvalue()
    findings = _findings(case, code, overrun, out, err, peak_kb)
    findings += _changes(case, code, before, snapshot(folder))
    outcome = {0: "done", 1: "stopped", 2: "refused"}.get(code, "overrun" if overrun else "other")
    return {
        "kind": case.kind,
        "arguments": [word[:80] for word in case.arguments],
        "outcome": outcome,
        "findings": findings,
        "wall_s": round(took_s, 3),
        "cpu_s": round(cpu_s, 3),
        "peak_mb": peak_kb // 1024,
        "stderr": err[-3000:],
    }


def _command(arguments):
    from twin.cli.app import twin  # noqa: PLC0415 - after the limits

    try:
        twin.main(list(arguments), "twin")
    except SystemExit as end:
        return end.code
    return "no exit"


def _findings(case, code, overrun, out, err, peak_kb):
    found = []
    if overrun:
        found.append(f"slow: {_where(overrun)}")
    elif code == 1:
        found.append(f"traceback: {_where(err)}" if "Traceback" in err else f"exit 1: {err[:80]}")
    elif code not in (0, 2):
        found.append(f"exit {code}: {_where(err)}")
    if code == 2 and not err.strip():
        found.append("refused without a word")
    warned = re.search(r"([\w/.]+\.py):(\d+): (\w*Warning: .*)", err)
    if warned:
        found.append(f"warning: {warned[1].rpartition('/')[2]}:{warned[2]} {warned[3][:60]}")
    for name, text in (("stdout", out), ("stderr", err)):
        held = _CONTROL.search(text)
        if held and code in (0, 2):
            found.append(f"control character {held[0]!r} on {name}: {case.arguments[0]}")
    if len(err) > TEXT_MAX and code == 2:
        found.append(f"a message of {len(err) // 1000} kB: {case.arguments[0]}")
    if peak_kb * 1024 > MEMORY_MAX:
        found.append(f"memory {peak_kb >> 10} MB: {case.kind} {case.arguments[0]}")
    return found


def _where(text):
    """The last own frame of a traceback, and its error."""
    frames = re.findall(r'File "[^"]*?/(twin/[^"]+)", line (\d+), in (\w+)', text)
    errors = re.findall(r"^internal error: (.*)", text, re.MULTILINE) or re.findall(
        r"^(\w*(?:Error|Exception)\b.*)", text, re.MULTILINE
    )
    place = f"{frames[-1][0]}:{frames[-1][1]} {frames[-1][2]}" if frames else "?"
    return f"{place}: {errors[-1][:70] if errors else ''}"


def _changes(case, code, before, after):
    may = {name for name in case.made if not name.startswith("-")}
    gone = {name[1:] for name in case.made if name.startswith("-")}
    found = [
        f"{case.arguments[0]} changed or removed {name}"
        for name in before
        if after.get(name) != before[name] and not (code == 0 and (name in gone | may or "*" in may))
    ]
    new = [name for name in after if name not in before]
    allowed = code == 0
    for name in new:
        top = name.split("/")[0]
        if not (allowed and (top in may or "*" in may)):
            found.append(f"{case.arguments[0]} left {name} (exit {code})")
    return found[:3]


def serve():
    """Judge the numbers that come in, one a line, until there are no more; for a worker process."""
    import json  # noqa: PLC0415

    from cases import lay  # noqa: PLC0415

    victims, seed = Path(sys.argv[1]), sys.argv[2]
    answers, questions = os.fdopen(os.dup(1), "w"), os.fdopen(os.dup(0))
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    prepare()
    for line in questions:
        number = int(line)
        folder = victims / f"case{os.getpid()}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        found = judge(lay(seed, number, victims, folder), folder)
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(BrokenPipeError):
            print(
                json.dumps({"number": number, "rss_mb": memory_kb("VmRSS") // 1024, **found}), file=answers, flush=True
            )


if __name__ == "__main__":
    serve()
