"""An nbgrader gradebook from records: automatic points to look at, written answers to give points for in formgrader.

The folder of the database is the course directory; autograded/STUDENT/HOMEWORK/ holds what formgrader shows. Points and
comments that a person has given are never touched. nbgrader itself is optional and imported only when it is asked for.
"""

import re
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

from utils.grading.homework import HomeworkError, find_notebook
from utils.grading.notebook_file import read
from utils.grading.official.files import write_text
from utils.grading.official.report.text import line, number
from utils.grading.student_copy import student_copy

STUDENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")  # ids become parts of paths, addresses and pages
AFTER = "close what else has it open, and run again"


def ready(url: str) -> Path:
    """The database file of `url`. Raises HomeworkError, with what to do, if no gradebook can be filled there."""
    lib, database = _nbgrader(), None
    try:
        address = lib.sql.engine.make_url(url)
        database = address.database if address.get_backend_name() == "sqlite" else None
    except lib.sql.exc.ArgumentError:
        pass
    if not database or database == ":memory:" or database.startswith("file:"):
        raise HomeworkError(f"expected a gradebook as sqlite:///gradebook.db, found {line(url, 200)!r}")
    file = Path(database).absolute()
    if file.is_dir():
        raise HomeworkError(f"expected the file of a gradebook, found the folder {file}")
    return file


def fill(url: str, records: list[dict], solution: Path) -> None:
    """Enters the records of one homework into the gradebook at `url`, which is made if it is not there.

    Entering them again updates them. Raises HomeworkError, with a sentence, if nbgrader is missing or the gradebook or
    a record does not fit; records are looked at before anything is entered.
    """
    from utils.grading.official.gradebook_entries import enter, enter_homework

    lib, file = _nbgrader(), ready(url)
    path = find_notebook(solution)
    place = SimpleNamespace(folder=file.parent, homework=solution.resolve().name, notebook=path.stem)
    released = _released(path)
    _fits(records, released, place.homework)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _made(lib, url, file)
        with lib.api.Gradebook(url) as book:
            enter_homework(lib, book, place, released)
            pages = dict(enter(lib, book, place, record, released) for record in records)
            book.db.commit()
        for page, text in pages.items():
            write_text(page, text)
    except (lib.sql.exc.SQLAlchemyError, lib.api.InvalidEntry, lib.api.MissingEntry, OSError) as error:
        reason = line(getattr(error, "orig", None) or error, 200)
        raise HomeworkError(f"{file} cannot be filled: {reason}; {AFTER}") from error


def _nbgrader() -> SimpleNamespace:
    """The modules of nbgrader and of its database."""
    names = {"api": "nbgrader.api", "db": "nbgrader.dbutil", "utils": "nbgrader.utils"}
    names |= {"sql": "sqlalchemy", "script": "alembic.script"}
    try:
        return SimpleNamespace(**{short: import_module(name) for short, name in names.items()})
    except ImportError as error:
        raise HomeworkError("--gradebook needs the package nbgrader: pip install -e '.[nbgrader]'") from error


def _released(path: Path):
    """The notebook that students get, as `course release` writes it."""
    import nbformat

    from utils.normal_form import normalise

    return normalise(nbformat.from_dict(student_copy(read(path))), homework=True)


def _fits(records: list[dict], released, homework: str) -> None:
    """Records must be of this homework as it is now, and of students whose ids nbgrader can use."""
    about = [cell.metadata.get("nbgrader", {}) for cell in released.cells]
    worth = {entry["grade_id"]: entry["points"] for entry in about if entry.get("grade")}
    for record in records:
        if not STUDENT.fullmatch(record["student"]):
            raise HomeworkError(f"nbgrader cannot use the student id {line(record['student'], 80)!r}: give it another")
        if record["homework"] != homework:
            raise HomeworkError(f"expected records of {homework}, found one of {line(record['homework'], 80)}")
        then = {f"check_{entry['name']}": entry["points"] for entry in record["exercises"]}
        then |= {entry["name"]: entry["points"] for entry in record["written"]}
        for name in then:
            if worth.get(name) != then[name]:
                raise HomeworkError(
                    f"{record['student']} was graded when the cell {line(name, 80)} was worth {number(then[name])} "
                    f"points, which {homework} does not say now: run course regrade with --update"
                )


def _made(lib, url: str, file: Path) -> None:
    """The empty database as nbgrader makes it, but without its call of the alembic command, which needs a PATH."""
    head = lib.script.ScriptDirectory(lib.db.ALEMBIC_DIR).get_current_head()
    engine = lib.sql.create_engine(url)
    try:
        with engine.begin() as connection:
            if not lib.sql.inspect(connection).get_table_names():
                connection.execute(lib.sql.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
                connection.execute(lib.sql.text("INSERT INTO alembic_version VALUES (:head)"), {"head": head})
            found = connection.execute(lib.sql.text("SELECT version_num FROM alembic_version")).scalar()
    finally:
        engine.dispose()
    if found != head:
        raise HomeworkError(f"{file} is of another version of nbgrader: run nbgrader db upgrade in {file.parent}")
