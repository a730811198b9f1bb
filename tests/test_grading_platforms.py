"""Whose file it is: downloads as Canvas, Moodle, Gradescope and nbgrader name them."""

import os

import pytest
from submissions_in_small import HW, graded, only, sentence, tree, zipped

from utils.grading.official.submissions import collect

CANVAS = {
    "doejane_LATE_12345_67890_hw2_maml-1.ipynb": b"jane",
    "roebob_222_333_solution.ipynb": b"bob",
    "liwei_444_555_work.zip": zipped(None, {"work/hw2_maml.ipynb": b"wei", "__MACOSX/work/._hw2_maml.ipynb": b"junk"}),
    "noname_777_text.html": b"<p>my homework</p>",
}


def test_canvas(tmp_path):
    found, problems = collect([zipped(tmp_path / "submissions.zip", CANVAS)], HW)
    assert [(one.student, one.read()) for one in found] == [
        ("doejane_12345", b"jane"), ("liwei_444", b"wei"), ("roebob_222", b"bob")]  # fmt: skip
    jane, wei, _ = found
    assert (jane.identity, jane.late, jane.submitted) == ({"name": "doejane", "canvas_id": "12345"}, True, None)
    assert jane.source == "submissions.zip/doejane_LATE_12345_67890_hw2_maml-1.ipynb"
    assert (wei.late, wei.source) == (False, "submissions.zip/liwei_444_555_work.zip/work/hw2_maml.ipynb")
    assert [(one.student, one.late) for one in problems] == [("noname_777", False)]
    assert "text.html" in problems[0].sentence


def test_canvas_unpacked_and_with_a_wrapper(tmp_path):
    folder = tree(tmp_path / "week5", CANVAS)
    wrapped = zipped(tmp_path / "a.zip", {f"submissions/{name}": content for name, content in CANVAS.items()})
    once = [(one.student, one.read()) for one in collect([folder], HW)[0]]
    assert once == [(one.student, one.read()) for one in collect([wrapped], HW)[0]]
    files = [*folder.glob("*.ipynb"), *folder.glob("*.zip")]
    assert once == [(one.student, one.read()) for one in collect(files, HW)[0]]
    assert [student for student, _ in once] == ["doejane_12345", "liwei_444", "roebob_222"]


def test_canvas_anonymous_and_names_of_several_words(tmp_path):
    names = ["anon_AbC12_99_hw2", "LATE_anon_XyZ_98_hw2", "van_der_berg_5_97_1_2", "李四_6_96_x"]
    found, _ = collect([zipped(tmp_path / "s.zip", {f"{name}.ipynb": b"x" for name in names})], HW)
    assert [one.late for one in found if one.student.startswith("anon")] == [False, True]
    assert [one.student for one in found] == ["6", "anon_AbC12", "anon_XyZ", "van_der_berg_5"]
    assert found[0].identity == {"name": "李四", "canvas_id": "6"}
    assert found[1].identity == {}


def test_a_later_upload_to_canvas_replaces_the_earlier(tmp_path):
    names = ["doe_1_10_hw2_maml.ipynb", "doe_1_11_hw2_maml-1.ipynb", "doe_1_12_hw2_maml-2.ipynb"]
    one = only(zipped(tmp_path / "s.zip", {name: name.encode() for name in names}))
    assert one.read() == b"doe_1_12_hw2_maml-2.ipynb"
    assert one.others == tuple(f"s.zip/{name} (earlier)" for name in names[:2])
    one = only(zipped(tmp_path / "t.zip", {"doe_1_11_mine-1.ipynb": b"second", "doe_1_10_mine.ipynb": b"first"}))
    assert one.read() == b"second"
    assert "part-1.ipynb, part-2.ipynb" in sentence(
        zipped(tmp_path / "u.zip", {"doe_1_10_part-1.ipynb": b"1", "doe_1_11_part-2.ipynb": b"2"}))  # fmt: skip
    assert graded(zipped(tmp_path / "v.zip", {"doe_1_10_hw-2.ipynb": b"1"}), homework="hw-2") == {"doe_1": b"1"}


def test_the_newest_of_several_downloads_counts(tmp_path):
    """Canvas counts its uploads; the date of the zip, which here says otherwise, is trusted less."""
    old = zipped(tmp_path / "b.zip", {"doe_1_10_hw2_maml.ipynb": b"old"}, date=(2026, 5, 1, 0, 0, 0))
    new = zipped(tmp_path / "a.zip", {"doe_1_20_solution.ipynb": b"new"}, date=(2026, 4, 1, 0, 0, 0))
    for paths in ([old, new], [new, old]):
        one = only(*paths)
        assert (one.read(), one.others) == (b"new", ("b.zip/doe_1_10_hw2_maml.ipynb (earlier)",))


def test_moodle(tmp_path):
    members = {
        "Jane Doe_1234567_assignsubmission_file_/hw2.ipynb": b"jane",
        "Jane Doe_1234567_assignsubmission_onlinetext_/onlinetext.html": b"<p>see file</p>",
        "José Ñ_77_assignsubmission_file/sub/x.ipynb": b"jose",
        "Bob Roe_88_assignsubmission_file_solution.ipynb": b"bob",
        "Wei Li_99_assignsubmission_onlinetext_/onlinetext.html": b"done",
        "Participant_5_assignsubmission_file_/x.zip": zipped(None, {"a/b/c.ipynb": b"nobody"}),
    }
    found, problems = collect([zipped(tmp_path / "m.zip", members)], HW)
    names = {"Jane_Doe_1234567": b"jane", "Jose_N_77": b"jose", "Bob_Roe_88": b"bob", "Participant_5": b"nobody"}
    assert {one.student: one.read() for one in found} == names
    assert found[1].identity == {"name": "Jane Doe"}
    assert [one.student for one in problems] == ["Wei_Li_99"]
    folder = tree(tmp_path / "m", {"Jane Doe_1_assignsubmission_file_/x.ipynb": b"1"})
    assert graded(folder) == {"Jane_Doe_1": b"1"}


METADATA = b"""---
submission_1:
  :submitters:
  - :name: Jane Doe
    :sid: 0123
    :email: jane@example.org
  :created_at: 2026-02-03 04:05:06.123456789 -08:00
  :results: {tests: [{name: a, output: "deep"}]}
  :history:
  - :created_at: 2026-02-01 00:00:00 Z
submission_2:
  :submitters:
  - :name: Bob Roe
    :email: bob@example.org
  - :name: Wei Li
    :sid: '9'
  :created_at: !ruby/object:Time 2026-02-04 00:00:00 UTC
"""


def test_gradescope(tmp_path):
    members = {
        "assignment_1_export/submission_metadata.yml": METADATA,
        "assignment_1_export/submission_1/hw2_maml.ipynb": b"jane",
        "assignment_1_export/submission_2/x.ipynb": b"both",
        "assignment_1_export/submission_3/x.ipynb": b"unknown",
    }
    for path in (zipped(tmp_path / "g.zip", members), tree(tmp_path / "unpacked", members)):
        found, problems = collect([path], HW)
        assert not problems
        assert {one.student: one.read() for one in found} == {
            "Jane_Doe_0123": b"jane", "Bob_Roe": b"both", "Wei_Li_9": b"both", "submission_3": b"unknown"}  # fmt: skip
        by = {one.student: one for one in found}
        assert by["Jane_Doe_0123"].identity == {"name": "Jane Doe", "sid": "0123", "email": "jane@example.org"}
        assert by["Jane_Doe_0123"].submitted == "2026-02-03T12:05:06+00:00"
        assert by["Wei_Li_9"].submitted == "2026-02-04T00:00:00+00:00"
        assert by["Bob_Roe"].others == ("handed in together with Wei Li",)


def test_gradescopes_time_decides_between_two_exports(tmp_path):
    later = METADATA.replace(b"2026-02-03", b"2026-02-09").replace(b"submission_1:", b"submission_8:")
    old = tree(tmp_path / "old", {"submission_1/hw2.ipynb": b"old", "submission_metadata.yml": METADATA})
    new = tree(tmp_path / "new", {"submission_8/hw2.ipynb": b"new", "submission_metadata.yml": later})
    os.utime(new / "submission_8" / "hw2.ipynb", (1, 1))
    one = only(new, old)
    assert (one.read(), one.others) == (b"new", ("old/submission_1/hw2.ipynb (earlier)",))


@pytest.mark.parametrize("content", [b"a: [", b"{" * 1000, b"[" * 100 + b"]" * 100, b"\xff\xfe\x00"])
def test_metadata_that_cannot_be_read_stops_everything(tmp_path, content):
    folder = tree(tmp_path / "g", {"submission_metadata.yml": content, "submission_1/x.ipynb": b"x"})
    with pytest.raises(ValueError, match="submission_metadata.yml in g cannot be read"):
        collect([folder], HW)


def test_metadata_makes_no_objects_and_takes_any_shape(tmp_path):
    laughs = b"a: &a [x,x]\nb: &b [*a,*a]\nsubmission_1: {':submitters': [{':name': *a}, 3, [x]], ? [k] : v}\n"
    laughs += b"c: !!python/object/apply:os.system ['false']\n"
    folder = tree(tmp_path / "g", {"submission_metadata.yml": laughs, "submission_1/x.ipynb": b"x"})
    assert graded(folder) == {"submission_1": b"x"}


def test_nbgrader(tmp_path):
    files = {
        "submitted/jane/hw2_maml/hw2_maml.ipynb": b"jane",
        "submitted/jane/hw2_maml/timestamp.txt": b"2026-02-02 15:58:23.948203 America/Los_Angeles\n",
        "submitted/jane/hw1/hw1.ipynb": b"other homework",
        "submitted/bob/hw1/hw1.ipynb": b"bob did hw1 only",
        "submitted/wei/hw2_maml/timestamp.txt": b"yesterday",
        "source/hw2_maml/hw2_maml.ipynb": b"the solution",
    }
    course = tree(tmp_path / "course", files)
    for path in (course, course / "submitted", zipped(tmp_path / "c.zip", files)):
        found, problems = collect([path], HW)
        assert [(one.student, one.read(), one.submitted) for one in found] == [
            ("jane", b"jane", "2026-02-02T23:58:23+00:00")]  # fmt: skip
        assert [(one.student, one.submitted) for one in problems] == [("wei", None)]
    assert graded(tree(tmp_path / "submitted", {"a/week1/x.ipynb": b"a", "grades.csv": b""})) == {"a": b"a"}
