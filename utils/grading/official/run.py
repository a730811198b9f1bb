"""`course grade` and `course regrade`: from what was handed in to grades on disk, stopped and resumed at will."""

import hashlib
import json
import statistics
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from utils.grading.homework import HomeworkError
from utils.grading.official import gradebook, report
from utils.grading.official.grade import blank, grade
from utils.grading.official.key import Key, make_key
from utils.grading.official.store import Store, StoreError, read_seeds
from utils.grading.official.submissions import collect
from utils.grading.release import find
from utils.grading.sandbox import isolation
from utils.grading.sandbox.client import Limits, Sandbox
from utils.grading.student_copy import ReleaseError
from utils.paths import course_root

REFUSALS = (HomeworkError, ReleaseError, StoreError, isolation.IsolationError, ValueError)  # each is one sentence


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    workers: int
    isolation: str = "auto"
    limits: Limits = field(default_factory=Limits)
    dask: str | None = None
    gradebook: str | None = None
    as_json: bool = False


def run(homework: str, paths: list[Path], out: Path | None, seeds: Path | None, options: Options) -> int:
    """Grades what was handed in and writes `out`. 0: all graded; 1: some need a person; 2: nothing could be done."""
    try:
        solution = find(course_root(), homework)
        found, problems = collect(paths, solution.name)
        if not found:
            why = "; ".join(f"{problem.source}: {problem.sentence}" for problem in problems[:5])
            raise ValueError(f"no submission can be graded: {why or 'there is none'}")
        if options.dask and options.isolation not in ("auto", "sandbox"):
            raise ValueError("--dask needs the isolation level sandbox on its workers")
        level = isolation.choose(options.isolation) if not options.dask else "sandbox"
        given = read_seeds(seeds)["seeds"] if seeds else None
        if level == "none":
            return _self_check(make_key(solution, given), found, options)
        if out is None:
            raise ValueError("expected a folder for the grades: --out FOLDER")
        if options.gradebook:
            gradebook.ready(options.gradebook)
        with Store(out) as store:
            before = store.settings()
            key = make_key(solution, given or (before or {}).get("seeds"))
            store.begin(key, paths)
            _bring_up_to_date(store, key, found, problems, level, options)
            return _finish(store, key, solution, options)
    except REFUSALS as error:
        print(f"course grade: {error}", file=sys.stderr)
        return 2


def _bring_up_to_date(store: Store, key: Key, found: list, problems: list, level: str, options: Options):
    """Grades what has no record yet, and keeps each record at once."""
    valid = store.mend(key)
    for problem in problems:
        record = blank(key, problem)
        if valid.get(problem.student, {}).get("problem") != record["problem"]:
            store.put(record)
    todo = [submission for submission in found if not _is_done(valid.get(submission.student), submission)]
    secrets = _secrets(store)
    with tqdm(total=len(found), initial=len(found) - len(todo), unit="notebook", file=sys.stderr) as bar:
        for record in graded(key, todo, level, options, secrets):
            store.put(record)
            bar.update()


def _secrets(store: Store) -> list:
    """What no student's code may read: solutions, grades, and what others handed in."""
    return [course_root() / "solutions", store.out, *store.settings()["paths"]]


def _is_done(record: dict | None, submission) -> bool:
    """Is this very file graded, or was it found to be unreadable in the same way?"""
    try:
        return record is not None and record["sha256"] == hashlib.sha256(submission.read()).hexdigest()
    except ValueError as error:
        return record["problem"] == str(error)


def graded(key: Key, todo: list, level: str, options: Options, secrets: Iterable = ()) -> Iterator[dict]:
    """The records of these submissions as they are finished, here or on a cluster."""
    if not todo:
        return
    if options.dask:
        from utils.grading.official.cluster import graded_there

        yield from graded_there(key, todo, level, options)
        return
    workers = 1 if level == "container" else options.workers  # without namespaces, two at a time could meet
    with ThreadPoolExecutor(workers) as pool, \
         Sandbox(level, key.checks, key.preload, options.limits, secrets) as sandbox:  # fmt: skip
        futures = [pool.submit(grade, key, sandbox, submission) for submission in todo]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:  # also when the run is stopped: what is under way is dropped, not recorded
            pool.shutdown(wait=False, cancel_futures=True)


def _finish(store: Store, key: Key, solution: Path, options: Options) -> int:
    """Tables and pages from all records, and the last words."""
    records = list(store.records().values())
    report.write_all(store.out, records, key.about)
    if options.gradebook:
        gradebook.fill(options.gradebook, records, solution)
    if options.as_json:
        print(json.dumps(records, indent=1))
    else:
        print(_summary(store, records))
    return 1 if any(record["status"] != "graded" for record in records) else 0


def _summary(store: Store, records: list[dict]) -> str:
    totals = [sum(row["earned"] for row in record["exercises"]) for record in records if record["status"] == "graded"]
    people = [record for record in records if record["status"] != "graded"]
    most = sum(row["points"] for row in records[0]["exercises"])
    lines = [f"{len(totals)} of {len(records)} are graded"]
    if totals:
        middle = statistics.median(totals)
        lines[0] += f"; automatic points: median {middle:g}, from {min(totals):g} to {max(totals):g} of {most:g}"
    lines += [f"needs a person: {record['student']}: {record['problem']}" for record in people[:20]]
    lines += [f"... and {len(people) - 20} more"] if len(people) > 20 else []
    waiting = sum(bool(answer["answer"]) for record in records for answer in record["written"])
    if waiting:
        lines += [f"{waiting} written answers are in {store.out / 'written.csv'}: fill in points, then run this again"]
    return "\n".join([*lines, f"What the class did: {store.out / 'summary.html'}"])


def _self_check(key: Key, found: list, options: Options) -> int:
    """Without isolation: points on the screen, and nothing that could be taken for a grade."""
    print("Without isolation nothing is written: this is for code that you would run yourself.")
    full = True
    for record in graded(key, found, "none", options):
        earned = sum(row["earned"] for row in record["exercises"])
        print(f"{record['student']}  {earned:g}  {record['problem'] or ''}".rstrip())
        full = full and record["status"] == "graded"
        for row in record["exercises"]:
            print(f"  {row['name']:24} {row['earned']:g}/{row['points']:g}  {row['message']}")
    return 0 if full else 1


def regrade(out: Path, paths: list[Path], update: bool, options: Options) -> int:
    """Grades again with the stored seeds. 0: the same points; 1: some differ (kept with `update`); 2: not possible."""
    try:
        with Store(out) as store:
            settings = store.settings()
            if settings is None:
                raise StoreError(f"{out} holds no grades: expected its seeds.json")
            solution = find(course_root(), settings["homework"])
            key = make_key(solution, settings["seeds"])
            found, _ = collect(paths or [Path(path) for path in settings["paths"]], solution.name)
            level = isolation.choose(options.isolation)
            changed = _differences(store, key, found, level, options, update)
            if update:
                _finish(store, key, solution, options)
            return 1 if changed else 0
    except REFUSALS as error:
        print(f"course regrade: {error}", file=sys.stderr)
        return 2


def _differences(store: Store, key: Key, found: list, level: str, options: Options, update: bool) -> int:
    """How many students' points differ; each difference is said."""
    before, secrets, changed, compared = store.records(), _secrets(store), 0, 0
    if update:
        store.begin(key, (), replace=True)
    found = [submission for submission in found if submission.student in before]
    for record in tqdm(graded(key, found, level, options, secrets), total=len(found), unit="notebook", file=sys.stderr):
        old = before[record["student"]]
        if old["sha256"] != record["sha256"]:
            tqdm.write(f"{record['student']}: the file is another one than was graded; not compared")
            continue
        compared += 1
        pairs = {row["name"]: row["earned"] for row in old["exercises"]}
        lines = [f"{row['name']} {pairs.get(row['name'], 0):g} -> {row['earned']:g}" for row in record["exercises"]
                 if pairs.get(row["name"]) != row["earned"]]  # fmt: skip
        if lines:
            changed += 1
            tqdm.write(f"{record['student']}: {', '.join(lines)}")
        if update:
            store.put(record)
    print(f"{compared} of {len(before)} were graded again: {changed} have other points")
    return changed
