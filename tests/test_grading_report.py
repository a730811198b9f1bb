"""Tables and pages from records: the numbers, what must never be shown, hostile text, and a class of 500."""

import csv
import io
import re
import time

import pytest
from records_in_small import HOMEWORK, HOSTILE, MISTAKES, exercise, many, record, stuck

from utils.grading.official.files import write_text
from utils.grading.official.report import pages, summary, write_all
from utils.grading.official.report.text import harmless, line, lines, moment, number, original, table


def read(path) -> list[dict]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))


def give(out, points, comment=""):
    """Fill in written.csv as a person does: {student: points}."""
    rows = read(out / "written.csv")
    for row in rows:
        if row["student"] in points:
            row |= {"points": points[row["student"]], "comment": comment}
    write_text(out / "written.csv", table([list(rows[0]), *(list(row.values()) for row in rows)]))


@pytest.fixture
def made(tmp_path):
    """A folder with one right student, one with a misconception, one that needs a person."""
    records = [record("jane"), record("ali", ("passed", "misconception", "raised"), late=True), stuck("mia")]
    write_all(tmp_path, records, HOMEWORK)
    return tmp_path, records


def test_grades_have_points_and_empty_totals_until_all_is_known(made):
    out, records = made
    ali, jane, mia = read(out / "grades.csv")
    assert [row["student_id"] for row in (ali, jane, mia)] == ["ali", "jane", "mia"]
    assert (jane["outer_loss (4.5)"], jane["Automatic points"], jane["Maximum"]) == ("4.5", "10.5", "13.5")
    assert (jane["question_1 (3)"], jane["Total"], jane["score"]) == ("", "", "")
    assert (jane["Status"], ali["Late"], jane["Late"]) == ("waits for written points", "late", "")
    assert (jane["last_name"], jane["first_name"], jane["lms_user_id"]) == ("Doe", "Jane", "4711")
    points = [mia[name] for name in mia if name.endswith(")") or name in ("Automatic points", "Total", "raw_score")]
    assert points == [""] * 7
    give(out, {"jane": "2,5", "ali": 0})
    write_all(out, records, HOMEWORK)
    ali, jane, mia = read(out / "grades.csv")
    assert (jane["question_1 (3)"], jane["Total"], jane["raw_score"], jane["max_score"]) == ("2.5", "13", "13", "13.5")
    assert (ali["Total"], ali["Status"], mia["Status"]) == ("2", "graded", "needs a person")


def test_canvas_takes_its_own_columns_and_nothing_for_who_needs_a_person(made):
    out, records = made
    give(out, {"jane": 3, "ali": 1})
    write_all(out, records, HOMEWORK)
    assert (out / "canvas.csv").read_bytes().decode() == (
        "Student,ID,SIS User ID,SIS Login ID,Section,Homework 2\n"
        "Points Possible,,,,,13.5\n"
        '"Doe, Ali",4711,,,,3\n'
        '"Doe, Jane",4711,,,,13.5\n'
        '"Doe, Mia",4711,,,,\n'
    )


def test_canvas_cannot_be_led_to_another_student_or_to_the_row_of_possible_points(tmp_path):
    odd = record("kim", identity={"name": "Points Possible", "canvas_id": "12; 34"}, written=[])
    bare = record("lee", identity={}, written=[])
    known = record("moa", identity={"sid": "s77"}, written=[])
    write_all(tmp_path, [odd, bare, known], HOMEWORK)
    lines = (tmp_path / "canvas.csv").read_text(encoding="utf-8").splitlines()
    assert lines[2:] == ["Points possible,,,kim,,10.5", "lee,,,lee,,10.5", "moa,,s77,,,10.5"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", ' "=1', '"-1', "\uff1dx", "\n+x"])
def test_a_cell_is_never_a_formula(text):
    cell = next(csv.reader(io.StringIO(table([[text, 1]]), newline="")))[0]
    assert cell.startswith("'")
    assert original(cell) == lines(text)
    assert harmless(cell) == cell


def test_numbers_and_plain_text_stay_what_they_are():
    assert table([["a", -1, 0.1 + 0.2, 3.0, None, 120, "O'Neil"]]) == "a,-1,0.3,3,,120,O'Neil\n"
    assert [number(value) for value in (0, -0.0, 1e-9, 1234567.5)] == ["0", "0", "0", "1234567.5"]
    assert original("'quoted'") == "'quoted'"
    assert moment("2025-10-01T12:00:00+02:00") == "2025-10-01 10:00 UTC"
    assert (moment("<b>"), moment(None)) == ("<b>", "")


def test_a_page_says_points_complaint_misconception_notes_and_comment(made):
    out, records = made
    page = (out / "feedback" / "ali.html").read_text(encoding="utf-8")
    assert "2 of 10.5 points for the exercises" in page
    assert page.count("difference 0.31.</bdi>") == 1
    assert "This matches a known misconception.</strong> <bdi>Your meta-gradient is first-order" in page
    assert "waits for a person, 3 points possible" in page
    assert "raises an error" in page and "\u2717" in page and "in a sandbox without network" in page
    records[0]["notes"] = ["Cell 7 was skipped."]
    give(out, {"jane": 1.5}, "Say why.")
    write_all(out, records, HOMEWORK)
    page = (out / "feedback" / "jane.html").read_text(encoding="utf-8")
    assert "12 of 13.5 points" in page and "1.5 of 3 points" in page
    assert "Cell 7 was skipped." in page and "Say why." in page
    assert "What to look at again" not in page


def test_a_page_shows_no_seed_no_key_and_nothing_about_other_students(tmp_path):
    problem = "same bytes as zoe's; ask both"
    write_all(tmp_path, [record("jane", others=["zoe.ipynb"]), stuck("mia", problem, others=["zoe.ipynb"])], HOMEWORK)
    for student in ("jane", "mia"):
        page = (tmp_path / "feedback" / f"{student}.html").read_text(encoding="utf-8")
        assert not re.search("987654321|123123123|5eed|zoe|4711", page)
    assert "That is not\na zero" in page
    assert "Points for each exercise" not in page
    assert "same bytes as zoe&#39;s; ask both" in (tmp_path / "summary.html").read_text(encoding="utf-8")


def luminance(colour: str) -> float:
    parts = (int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_has_the_contrast_of_wcag_aa_in_light_dark_and_print(made):
    style = (made[0] / "summary.html").read_text(encoding="utf-8")
    schemes = [dict(re.findall(r"--(\w+): (#\w{6})", root)) for root in re.findall(r":root \{([^}]*)\}", style)]
    assert len(schemes) == 3
    for scheme in schemes:
        for ink in ("ink", "quiet", "link"):
            for ground in ("paper", "soft"):
                low, high = sorted((luminance(scheme[ink]), luminance(scheme[ground])))
                assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, ground)


def test_backticks_become_code_and_stay_escaped():
    assert pages.prose("less than `a<b`.") == "less than <code>a&lt;b</code>."
    assert pages.prose("one ` <i>") == "one ` &lt;i&gt;"
    assert pages.identifier("inner_<i>") == "<code>inner_<wbr>&lt;i&gt;</code>"


def test_the_summary_counts_the_class(tmp_path):
    records = many(60, seed=3)
    write_all(tmp_path, records, HOMEWORK)
    page = (tmp_path / "summary.html").read_text(encoding="utf-8")
    people = [one["student"] for one in records if one["status"] == "needs a person"]
    assert people and f"<strong>{len(people)}</strong> need a person" in page
    assert all(f'"./feedback/{one["student"]}.html"' in page for one in records)
    assert '"./records/student0007.json"' in page
    graded = [one for one in records if one["status"] == "graded"]
    found = summary.misconceptions(graded)
    wanted = [sum(one["misconception"] == text for r in graded for one in r["exercises"]) for text in MISTAKES.values()]
    assert [entry["count"] for entry in found] == sorted(wanted, reverse=True)
    assert f'<td class="number">{found[0]["count"]} of {len(graded)}</td>' in page
    full = sum(one["exercises"][0]["kind"] == "passed" for one in graded)
    assert f"{100 * full / len(graded):.0f} %" in page
    assert "Isolation: sandbox (60)." in page


def test_what_was_never_run_has_no_seconds_and_no_isolation(tmp_path):
    absent = [exercise(entry, "missing") | {"seconds": 0.0} for entry in HOMEWORK["exercises"]]
    records = [record("jane"), record("ali", exercises=absent), stuck("mia", isolation=None, exercises=absent)]
    write_all(tmp_path, records, HOMEWORK)
    page = (tmp_path / "summary.html").read_text(encoding="utf-8")
    assert page.count('<td class="number">0.25</td>') == 3
    assert "not in the notebook (1)" in page
    assert "Isolation: sandbox (2), nothing was run (1)." in page


def test_the_histogram_counts_everyone_once_and_keeps_full_points_in_its_last_bar():
    chart = summary.histogram([0, 0.4, 0.5, 10.4, 10.5], 10.5)
    assert [bar["count"] for bar in chart["bars"]] == [2, 1] + [0] * 18 + [2]
    assert (chart["bars"][-1]["high"], chart["median"], chart["top"]) == (10.5, 0.5, 2)
    assert max(bar["height"] for bar in chart["bars"]) == 170
    assert len(summary.histogram([7], 3000)["bars"]) == 25
    assert summary.histogram([], 10) is None


def test_an_empty_class_and_a_homework_without_questions_have_pages_too(tmp_path):
    write_all(tmp_path / "none", [], HOMEWORK)
    assert "No submission has points yet." in (tmp_path / "none" / "summary.html").read_text(encoding="utf-8")
    homework = HOMEWORK | {"written": []}
    write_all(tmp_path / "plain", [record("jane", homework=homework)], homework)
    assert read(tmp_path / "plain" / "grades.csv")[0]["Total"] == "10.5"
    assert "Written answers" not in (tmp_path / "plain" / "feedback" / "jane.html").read_text(encoding="utf-8")
    assert not (tmp_path / "plain" / "written.csv").exists()


@pytest.mark.parametrize("student", ["", "..", "../x", "a/b", "a\\b", "a\0", "a ", "a\u00a0b", "'=a", "a" * 201])
def test_an_id_that_is_no_file_name_is_refused_before_anything_is_written(tmp_path, student):
    with pytest.raises(ValueError, match="usable as a file name"):
        write_all(tmp_path / "out", [record("jane"), record(student)], HOMEWORK)
    with pytest.raises(ValueError, match="several for jane"):
        write_all(tmp_path / "out", [record("jane"), record("jane")], HOMEWORK)
    assert not (tmp_path / "out").exists()


def test_a_class_of_500_takes_less_than_five_seconds(tmp_path):
    records = many(500)
    start = time.perf_counter()
    write_all(tmp_path, records, HOMEWORK)
    assert time.perf_counter() - start < 5
    assert len(list((tmp_path / "feedback").iterdir())) == 500


def test_lines_are_printable_and_short():
    for text in HOSTILE:
        assert line(text).isprintable() and len(line(text)) <= 1510
        assert all(part.isprintable() for part in lines(text).split("\n"))
    assert line("a\n\tb\x07") == "a b?"
    assert lines("a\r\nb\rc") == "a\nb\nc"
    assert exercise(HOMEWORK["exercises"][0], "value")["earned"] == 0


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "a.txt"
    write_text(path, "one\r\n")
    path.chmod(0o600)
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "two \ud800")
    assert path.read_bytes() == b"one\r\n"
    write_text(path, "three\n")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"three\n", 0o600)
    assert [one.name for one in path.parent.iterdir()] == ["a.txt"]
