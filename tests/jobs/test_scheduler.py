"""The scheduler alone, driven by a small event loop: no GPU twice, no head delayed, rows that come and go."""

import heapq
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.jobs.expectation import FIRST_GUESS_US, History
from twin.jobs.placement import Placement
from twin.jobs.placements import PLACEMENTS
from twin.jobs.scheduler import Scheduler

ROWS, PER_ROW, SIZE = 3, 2, 4
RULES = ("none", "easy", "conservative")


@dataclass
class Cluster:
    """A cluster of 24 GPUs that plays jobs given as (submitted, runs for, GPUs, asked-for time, priority)."""

    jobs: list[tuple[int, int, int, int, int]]
    backfill: str = "none"
    order: str = "fifo"
    layout: str = "first_fit"
    rows: int = ROWS
    starts: dict[int, int] = field(default_factory=dict)
    promised: dict[int, int] = field(default_factory=dict)
    """When each job that became the head and did not fit would have fitted, had nobody started after it."""

    def play(self) -> "Cluster":
        self.jobs.sort()
        self.placement = Placement(self.rows, PER_ROW, SIZE, self.layout)
        self.scheduler = Scheduler(self.placement, [one[2] for one in self.jobs], self.order, self.backfill)
        instants, ends, submitted = sorted({one[0] for one in self.jobs}), [], 0
        while instants or ends:
            now = min(instants[:1] + [end for end, _ in ends[:1]])
            while ends and ends[0][0] <= now:
                self.scheduler.release(heapq.heappop(ends)[1])
            instants = [one for one in instants if one > now]
            while submitted < len(self.jobs) and self.jobs[submitted][0] <= now:
                _, _, _, asked, priority = self.jobs[submitted]
                self.scheduler.submit(submitted, asked, priority)
                submitted += 1
            for job in self.scheduler.start(now):
                self.starts[job] = now
                heapq.heappush(ends, (now + self.jobs[job][1], job))
            self.check()
            if self.scheduler.waiting and self.scheduler.head not in self.promised:
                self.promised[self.scheduler.head] = self.first_fit(self.scheduler.head, now)
        return self

    def check(self) -> None:
        """No GPU is held twice, the count of every server adds up, and every job has what it asked for."""
        used = [0] * self.placement.servers
        for job, held in self.placement.held.items():
            assert sum(gpus for _, gpus in held) == self.jobs[job][2]
            for server, gpus in held:
                used[server] += gpus
        assert max(used) <= SIZE
        assert sum(used) == self.placement.busy_gpus == sum(self.placement.busy_in_row)

    def first_fit(self, job: int, now: int) -> int:
        """By counting: the first expected end at which so many servers are free, if nobody else starts."""
        free = [SIZE] * self.placement.servers
        for held in self.placement.held.values():
            for server, gpus in held:
                free[server] -= gpus
        whole, part = divmod(self.jobs[job][2], SIZE)
        running = sorted((self.starts[one] + self.jobs[one][3], one) for one in self.placement.held)
        for end, one in running:
            for server, gpus in self.placement.held[one]:
                free[server] += gpus
            empty = free.count(SIZE)
            if empty >= whole and (not part or empty > whole or any(part <= rest < SIZE for rest in free)):
                return max(end, now)
        raise AssertionError("a job that fits on an empty cluster fits at last")


def jobs_of(most_asked: int = 0) -> st.SearchStrategy[list[tuple[int, int, int, int, int]]]:
    """Jobs that end by the time that they asked for, at the latest."""
    one = st.tuples(
        st.integers(0, 40), st.integers(1, 30), st.integers(1, ROWS * PER_ROW * SIZE), st.integers(0, most_asked),
        st.integers(0, 2),
    )  # fmt: skip
    return st.lists(one.map(lambda job: (job[0], job[1], job[2], job[1] + job[3], job[4])), min_size=1, max_size=25)


@settings(max_examples=150, deadline=None)
@given(jobs_of(20), st.sampled_from(RULES), st.sampled_from(sorted(PLACEMENTS)), st.sampled_from(["fifo", "priority"]))
def test_no_gpu_is_held_twice_and_every_job_runs(jobs, backfill, layout, order):
    played = Cluster(jobs, backfill, order, layout).play()
    assert sorted(played.starts) == list(range(len(jobs)))
    assert all(start >= played.jobs[job][0] for job, start in played.starts.items())


@settings(max_examples=200, deadline=None)
@given(jobs_of(20), st.sampled_from(["easy", "conservative"]), st.sampled_from(sorted(PLACEMENTS)))
def test_backfill_never_delays_the_head_of_the_queue(jobs, backfill, layout):
    played = Cluster(jobs, backfill, layout=layout).play()
    for job, promised in played.promised.items():
        assert played.starts[job] <= promised


@settings(max_examples=100, deadline=None)
@given(jobs_of())
def test_with_exact_times_conservative_backfill_delays_nobody_against_no_backfill(jobs):
    """All jobs of whole servers: first in, first out is then a schedule that every reservation can only improve."""
    whole = [(submit, run, -(-gpus // SIZE) * SIZE, asked, 0) for submit, run, gpus, asked, _ in jobs]
    plain, filled = Cluster(sorted(whole)).play(), Cluster(sorted(whole), "conservative").play()
    assert all(filled.starts[job] <= plain.starts[job] for job in plain.starts)


def test_easy_lets_a_job_pass_beside_the_head_and_none_that_would_be_in_its_way():
    """20 of 24 GPUs are busy until 100, then 16 of the head; job 2 of 8 GPUs fits at 150; job 3 took the free server at
    once, job 4 the one that is left at 100, since at 150 both it and job 2 have room."""
    jobs = [(0, 100, 20, 100, 0), (1, 50, 16, 50, 0), (2, 200, 8, 200, 0), (3, 200, 4, 200, 0), (4, 90, 4, 90, 0)]
    assert Cluster(jobs, "easy").play().starts == {0: 0, 1: 100, 2: 150, 3: 3, 4: 100}
    assert Cluster(jobs, "none").play().starts == {0: 0, 1: 100, 2: 100, 3: 150, 4: 150}


def test_conservative_keeps_the_second_in_the_queue_from_being_passed_over():
    """Beside the head of 16 GPUs at 10, EASY has room for a long job of 4; it would keep the second, which wants all 24
    at 20, waiting until 103."""
    jobs = [(0, 10, 20, 10, 0), (1, 10, 16, 10, 0), (2, 10, 24, 10, 0), (3, 100, 4, 100, 0)]
    assert Cluster(list(jobs), "easy").play().starts == {0: 0, 1: 10, 2: 103, 3: 3}
    assert Cluster(list(jobs), "conservative").play().starts == {0: 0, 1: 10, 2: 20, 3: 30}


def test_priority_and_shortest_first_put_others_first():
    jobs = [(0, 10, 24, 10, 0), (1, 9, 24, 9, 0), (2, 5, 24, 5, 0), (3, 7, 24, 7, 1)]
    assert Cluster(list(jobs), order="priority").play().starts == {0: 0, 3: 10, 1: 17, 2: 26}
    assert Cluster(list(jobs), order="shortest_first").play().starts == {0: 0, 2: 10, 3: 15, 1: 22}


def test_a_job_whose_time_is_over_is_expected_to_end_at_once_and_the_head_waits_for_it_alone():
    """The first asked for 5 and runs for 50: from 5 on nothing longer may take what the head needs."""
    jobs = [(0, 50, 20, 5, 0), (1, 10, 24, 10, 0), (6, 10, 4, 10, 0)]
    for rule in ("easy", "conservative"):
        assert Cluster(list(jobs), rule).play().starts == {0: 0, 1: 50, 2: 60}


@pytest.mark.parametrize(("layout", "rows"), [("first_fit", [0, 0, 1]), ("pack", [1, 1, 1]), ("spread", [1, 2, 2])])
def test_whole_servers_go_where_the_layout_says(layout, rows):
    """Three rows of four servers, of which 2, 3 and 4 are free."""
    placement = Placement(3, 4, SIZE, layout)
    for job, server in enumerate((1, 3, 4)):
        placement.give(job, [(server, SIZE)])
    assert placement.take(9, 3 * SIZE)
    assert sorted(server // 4 for server, _ in placement.held[9]) == rows


def test_pack_takes_a_whole_pod_where_one_fits():
    placement = Placement(4, 2, SIZE, "pack", rows_per_pod=2)
    placement.give(0, [(0, SIZE)])
    assert placement.take(1, 4 * SIZE)
    assert [server for server, _ in placement.held[1]] == [4, 5, 6, 7]


def test_a_spare_takes_the_place_of_a_failed_server_of_its_row():
    placement = Placement(2, 3, SIZE, spare_servers_per_row=1)
    assert not placement.take(0, 5 * SIZE)
    assert placement.take(0, 4 * SIZE)
    placement.release(0)
    placement.fail(1)
    assert placement.take(0, 4 * SIZE)
    assert [server for server, _ in placement.held[0]] == [0, 2, 3, 4]
    placement.release(0)
    placement.fail(0)
    assert not placement.take(0, 4 * SIZE)
    placement.mend(0)
    assert placement.spares(0) == 1
    placement.mend(1)
    assert placement.take(0, 4 * SIZE)
    assert placement.spares(0) == 1


def test_a_row_that_is_lost_kills_its_jobs_and_takes_none_until_it_is_back():
    played = Cluster([(0, 10, 8, 10, 0), (0, 10, 12, 10, 0)]).play()
    scheduler = Scheduler(Placement(ROWS, PER_ROW, SIZE), [one[2] for one in played.jobs])
    for job in (0, 1):
        scheduler.submit(job, 10)
    assert scheduler.start(0) == [0, 1]
    assert scheduler.lose_row(1) == [1]
    scheduler.requeue([1], [10], [0])
    assert scheduler.start(1) == []
    scheduler.placement.open_row(1)
    assert scheduler.start(2) == [1]


def test_history_expects_the_mean_of_a_tenant_s_last_two_run_times():
    history = History()
    assert history.expect("a") == FIRST_GUESS_US
    for run in (10, 20, 40):
        history.ended("a", run)
    assert history.expect("a") == 30
    assert history.expect("b") == 70 // 3
