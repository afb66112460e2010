from __future__ import annotations

from ionbox.service.ready_queue import Entry, FairClock, ReadyQueue


def entry(job_id: str, project_id: str = "a", seconds: float = 1.0, memory: int = 0) -> Entry:
    return Entry(job_id, project_id, seconds, memory)


def drain(queue: ReadyQueue) -> list[str]:
    jobs = []
    while (taken := queue.pop(lambda _: True)) is not None:
        jobs.append(taken.job_id)
    return jobs


def test_one_project_is_served_in_the_order_of_submission() -> None:
    queue = ReadyQueue(FairClock())
    for number in range(5):
        queue.push(entry(str(number)))

    assert drain(queue) == ["0", "1", "2", "3", "4"]


def test_a_project_that_submits_a_thousand_jobs_does_not_hold_up_another() -> None:
    queue = ReadyQueue(FairClock())
    for number in range(1000):
        queue.push(entry(f"a{number}", "a"))
    queue.push(entry("b0", "b"))

    assert "b0" in drain(queue)[:2]


def test_projects_share_time_and_not_jobs() -> None:
    queue = ReadyQueue(FairClock())
    for number in range(30):
        queue.push(entry(f"long{number}", "a", seconds=3))
        queue.push(entry(f"short{number}", "b", seconds=1))

    order = drain(queue)[:20]
    assert sum(job.startswith("short") for job in order) == 15


def test_a_newcomer_gets_no_credit_for_the_time_before() -> None:
    queue = ReadyQueue(FairClock())
    for number in range(4):
        queue.push(entry(f"a{number}", "a"))
    for _ in range(2):
        queue.pop(lambda _: True)
    for number in range(4):
        queue.push(entry(f"b{number}", "b"))

    assert drain(queue)[:4] in (["b0", "a2", "b1", "a3"], ["a2", "b0", "a3", "b1"])


def test_a_job_that_does_not_fit_is_not_overtaken() -> None:
    queue = ReadyQueue(FairClock())
    queue.push(entry("large", memory=100))
    queue.push(entry("small", memory=1))

    assert queue.pop(lambda e: e.memory_bytes < 10) is None
    assert len(queue) == 2
