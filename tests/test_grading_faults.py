"""Broken submissions: what is right keeps its points, the record says what happened, and the next one is unharmed."""

import json
import re

import pytest
from faults import DEADLY, Fault
from faults_of_code import CELLS, SHAPES
from faults_of_files import BYTES, FORMATS, METADATA, WRITTEN
from faults_of_functions import LEFT, RAISED, RETURNED
from grading_in_small import HandedIn, solved

from utils.grading.official import trial
from utils.grading.official.grade import grade

TABLES = (FORMATS, BYTES, METADATA, WRITTEN, CELLS, SHAPES, RETURNED, RAISED, LEFT)
HARMLESS = {name: fault for table in TABLES for name, fault in table.items()}  # to the process
on_one_level = pytest.mark.parametrize("sandbox", ["sandbox"], indirect=True)


def examine(fault: Fault, record: dict):
    """Compares a record with all that is known of its fault."""
    rows = {row["name"]: row for row in record["exercises"]}
    said = {name: row["message"] for name, row in rows.items()}
    said |= {"notes": "\n".join(record["notes"]), "problem": record["problem"] or ""}
    said["why"] = str(record["written"][0]["answer"])
    for place, pattern in fault.says.items():
        assert re.search(pattern, said[place]), (place, pattern, said)
    assert sum(row["earned"] for row in rows.values()) == fault.points, said
    assert bool(record["notes"]) == ("notes" in fault.says), said
    assert (record["status"] == "needs a person") == bool(record["problem"]) == ("problem" in fault.says), said
    assert all(row["message"] for row in rows.values())
    assert json.loads(json.dumps(record, ensure_ascii=False).encode()) == record


def check(fault: Fault, key, sandbox, monkeypatch):
    """The fault is graded as it should be, and an honest submission after it gets all points."""
    monkeypatch.setattr(trial, "IMPORT_SECONDS", fault.patience)
    examine(fault, grade(key, sandbox, HandedIn(fault.content)))
    honest = grade(key, sandbox, HandedIn(solved()))
    assert [row["kind"] for row in honest["exercises"]] == ["passed", "passed"]
    assert (honest["status"], honest["notes"]) == ("graded", [])


@pytest.mark.parametrize("name", DEADLY)
def test_a_process_that_dies_or_hangs(name, key, sandbox, monkeypatch):
    check(DEADLY[name], key, sandbox, monkeypatch)


@on_one_level
@pytest.mark.parametrize("name", HARMLESS)
def test_a_broken_submission(name, key, sandbox, monkeypatch):
    check(HARMLESS[name], key, sandbox, monkeypatch)


def test_no_fault_is_hidden_by_another_of_its_name():
    assert len(HARMLESS) == sum(map(len, TABLES))
    assert not DEADLY.keys() & HARMLESS.keys()


@on_one_level
def test_a_signal_to_its_group_reaches_no_other_visit(key, sandbox):
    with sandbox.visit() as other:
        grade(key, sandbox, HandedIn(DEADLY["SIGKILL for its group"].content))
        request = {"do": "import", "skip": [], "questions": {}}
        answers = [header for header, _ in _until_done(other.tell(request, solved(), 10))]
    assert answers[-1]["functions"] == ["scale", "total"]


def _until_done(answers):
    for header, body in answers:
        yield header, body
        if "functions" in header:
            return
