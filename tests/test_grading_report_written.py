"""The queue of written answers keeps what a person wrote; pages of hostile text in a browser."""

import shutil
from html.parser import HTMLParser

import pytest
from records_in_small import HOMEWORK, HOSTILE, exercise, record, stuck
from test_grading_report import give, read

from utils.grading.official.report import write_all, written

HEAD = ",".join(written.COLUMNS)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture
def queue(tmp_path):
    """The folder of a run over jane and ali, jane's answer graded."""
    write_all(tmp_path, [record("jane"), record("ali")], HOMEWORK)
    give(tmp_path, {"jane": 2}, "-1 for the sign")
    return tmp_path


def test_points_and_comments_survive_any_number_of_runs(queue):
    for _ in range(3):
        write_all(queue, [record("jane"), record("ali")], HOMEWORK)
    assert written.points(queue / "written.csv") == {("jane", "question_1"): 2.0}
    rows = read(queue / "written.csv")
    assert [(row["student"], row["points"], row["comment"]) for row in rows] == [
        ("ali", "", ""),
        ("jane", "2", "'-1 for the sign"),
    ]
    assert rows[0]["answer"] == "(a) The second step.\n(b) Less."
    assert "<bdi>-1 for the sign</bdi>" in (queue / "feedback" / "jane.html").read_text(encoding="utf-8")


def test_a_row_with_points_stays_when_its_student_is_gone(queue):
    write_all(queue, [stuck("jane")], HOMEWORK)
    assert written.points(queue / "written.csv") == {("jane", "question_1"): 2.0}
    assert [row["student"] for row in read(queue / "written.csv")] == ["jane"]
    page = (queue / "summary.html").read_text(encoding="utf-8")
    assert "written.csv has a row for it, but no submission does" in page
    write_all(queue, [record("jane")], HOMEWORK)
    assert read(queue / "grades.csv")[0]["Total"] == "12.5"


def test_an_answer_that_changed_after_its_points_is_marked_until_a_person_has_looked(queue):
    later = record("jane", written=[HOMEWORK["written"][0] | {"answer": "Something else."}])
    for _ in range(2):
        write_all(queue, [later], HOMEWORK)
    row = read(queue / "written.csv")[0]
    assert (row["answer"], row["points"]) == ("Something else.", "2")
    assert row["comment"] == f"{written.CHANGED} -1 for the sign"
    assert "the answer has changed since points were given" in (queue / "summary.html").read_text(encoding="utf-8")
    assert written.CHANGED not in (queue / "feedback" / "jane.html").read_text(encoding="utf-8")
    give(queue, {"jane": 1}, "better")
    write_all(queue, [later], HOMEWORK)
    assert read(queue / "written.csv")[0]["comment"] == "better"
    assert "has changed since" not in (queue / "summary.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "expected the columns student, question"),
        ("student,points\njane,3\n", "found student, points"),
        (f"{HEAD}\njane,question_1,Question 1,3,a,4,\n", r"line 2: points: expected a number from 0 to 3, found '4'"),
        (f"{HEAD}\njane,question_1,Question 1,3,a,-1,\n", "from 0 to 3, found '-1'"),
        (f"{HEAD}\njane,question_1,Question 1,3,a,nan,\n", "found 'nan'"),
        (f"{HEAD}\njane,question_1,Question 1,3,a,two,\n", "found 'two'"),
        (f"{HEAD}\njane,question_1,Question 1,much,a,2,\n", "max: expected a number from 0, found 'much'"),
        (f"{HEAD}\njane,question_1,Question 1,inf,a,2,\n", "max: expected a number from 0, found 'inf'"),
        (f"{HEAD}\njane,question_1,3,a,2\n", "line 2: expected 7 cells, found 5"),
        (f"{HEAD}\njane,q,Q,3,a,2,\njane,q,Q,3,a,1,\n", "line 3: there is a second row for 'jane', 'q'"),
        (f'{HEAD}\njane,question_1,Question 1,3,"a,2,\n', "cannot be read as CSV"),
        (f"{HEAD}\njane,question_1,Question 1,5,a,4.5,\n", "gives 'jane' 4.5 points for 'question_1', which is wor"),
    ],
)
def test_a_file_that_cannot_be_used_stays_and_nothing_is_written(tmp_path, text, message):
    (tmp_path / "written.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        write_all(tmp_path, [record("jane")], HOMEWORK)
    assert str(caught.value).endswith("The file was left as it is; put it right and run again.")
    assert (tmp_path / "written.csv").read_text(encoding="utf-8") == text
    assert [path.name for path in tmp_path.iterdir()] == ["written.csv"]


def test_what_spreadsheets_make_of_the_file_is_understood(tmp_path):
    path = tmp_path / "written.csv"
    assert written.points(path) == {}
    path.write_bytes(f'\ufeff{HEAD}\r\njané,q,Q,3,"a\r\nb","2,5",ok\r\n,,,,,,\r\n'.encode())
    assert written.points(path) == {("jané", "q"): 2.5}
    path.write_text(HEAD.replace(",", ";") + '\njané;q;Q;2,5;"a; b";1,5;\n', encoding="utf-8")
    assert written.points(path) == {("jané", "q"): 1.5}
    path.write_bytes(f"{HEAD}\njané,q,Q,3,a,2,\n".encode("cp1252"))
    with pytest.raises(ValueError, match="save it as 'CSV UTF-8'"):
        written.points(path)


def hostile():
    """A record in which everything that a student or a platform may have written is hostile."""
    made = record("evil&'\" <b>", ("passed", "value", "misconception"), notes=HOSTILE, others=HOSTILE)
    made |= {"source": HOSTILE[1], "submitted": HOSTILE[0], "isolation": HOSTILE[1]}
    made["versions"] = {HOSTILE[0]: HOSTILE[7]}
    made["identity"] = dict(zip(("canvas_id", "sid", "email"), HOSTILE[2:5], strict=True))
    made["identity"]["name"] = HOSTILE[0] + HOSTILE[7]
    made["exercises"][1] |= {"message": " ".join(HOSTILE), "kind": HOSTILE[1]}
    made["exercises"][2] |= {"misconception": HOSTILE[1] + "`" + HOSTILE[0]}
    made["written"][0]["answer"] = "\n".join(HOSTILE)
    return made


class Tags(HTMLParser):
    """What a browser would see: every tag, and every attribute that is not a plain word of the templates."""

    def __init__(self, page: str):
        super().__init__()
        self.tags, self.attributes = set(), {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for name, value in attributes:
            self.attributes.setdefault(name, set()).add(value)


def test_hostile_text_makes_no_tag_and_no_attribute(tmp_path):
    plain, evil = tmp_path / "plain", tmp_path / "evil"
    tame = record("jane", ("passed", "value", "misconception"), notes=["a"], others=["b"])
    write_all(plain, [tame, stuck()], HOMEWORK)
    write_all(evil, [hostile(), stuck("mia", HOSTILE[1], source=HOSTILE[0])], HOMEWORK)
    for path in evil.rglob("*.html"):
        student = path.parent.name == "feedback" and path.stem.startswith("evil")
        same = "feedback/jane.html" if student else path.relative_to(evil)
        page = path.read_text(encoding="utf-8")
        found, wanted = Tags(page), Tags((plain / same).read_text(encoding="utf-8"))
        assert found.tags == wanted.tags
        assert set(found.attributes) == set(wanted.attributes)
        assert all(link.startswith("./") for link in found.attributes.get("href", ()))
        assert all(letter.isprintable() or letter == "\n" for letter in page)


@pytest.mark.browser
@pytest.mark.skipif(BROWSER is None, reason=f"BROWSER TESTS DID NOT RUN: none of {', '.join(NAMES)} is installed")
def test_pages_run_nothing_ask_for_nothing_and_fit_a_phone(tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="BROWSER TESTS DID NOT RUN: no playwright")
    write_all(tmp_path, [hostile(), record("jane", ("passed", "shape", "died"))], HOMEWORK)
    files = sorted(tmp_path.rglob("*.html"))
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        for width in (320, 1200):
            page, asked, said = browser.new_page(viewport={"width": width, "height": 900}), [], []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.on("console", lambda message, said=said: said.append(message.text))
            for path in files:
                page.goto(path.as_uri())
                assert page.title().startswith("Homework 2: ")
                assert page.evaluate("[document.scripts.length, document.images.length]") == [0, 0]
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                assert page.evaluate("getComputedStyle(document.querySelector('footer')).fontSize") == "14.4px"
            assert (len(asked), said) == (len(files), []) and len(files) == 3
        browser.close()


def test_exercises_that_the_record_does_not_have_are_empty_cells(tmp_path):
    short = record("jane", exercises=[exercise(HOMEWORK["exercises"][0])])
    write_all(tmp_path, [short], HOMEWORK)
    row = read(tmp_path / "grades.csv")[0]
    assert (row["prototypes (2)"], row["inner_step (4)"]) == ("2", "")
