"""Which offers of the scheduler the energy management accepts: one file a policy, `decide(situation, offer, told)`."""

from twin.jobs.application import cap, checkpoint_before_empty, economic, ignore, pause
from twin.jobs.application.view import Decide

POLICIES: dict[str, Decide] = {
    "ignore": ignore.decide,
    "cap": cap.decide,
    "pause": pause.decide,
    "checkpoint_before_empty": checkpoint_before_empty.decide,
    "economic": economic.decide,
}
