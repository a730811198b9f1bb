"""Records on disk, so that a run can be stopped at any moment and goes on where it was.

    seeds.json               the homework, its version and the fresh seeds: written before the first submission runs
    records/STUDENT.json     the truth; appears at once and whole
    journal.jsonl            one line a graded submission, after its record; a line that was cut short is cut off
"""

import json
import os
from pathlib import Path

from utils.grading.official.files import write_text
from utils.grading.official.key import Key
from utils.grading.sandbox.isolation import LINUX

try:
    import fcntl
except ImportError:  # Windows, where no grades are made
    fcntl = None


class StoreError(Exception):
    """The folder for grades cannot be used as asked; one sentence that says what to do."""


class Store:
    """The grades of one homework in the folder `out`, which one run at a time may hold. A context manager."""

    def __init__(self, out: Path):
        if fcntl is None:
            raise StoreError(LINUX)
        self.out = Path(out)
        self.records_folder, self.journal = self.out / "records", self.out / "journal.jsonl"
        try:
            self.out.mkdir(mode=0o700, parents=True, exist_ok=True)  # grades are for their owner's eyes
            self.records_folder.mkdir(mode=0o700, exist_ok=True)
            self._lock = os.open(self.out, os.O_RDONLY)
        except OSError as error:
            raise StoreError(f"{self.out} cannot be used for grades: {error.strerror}") from error
        self._hold()

    def _hold(self):
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise StoreError(f"another run is writing to {self.out}: wait for it, or use another --out") from error
        for part in [*self.out.rglob(".*.part")]:  # of a run that was killed while it wrote
            part.unlink(missing_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        os.close(self._lock)

    def settings(self) -> dict | None:
        """seeds.json, or None where nothing has been graded here yet."""
        path = self.out / "seeds.json"
        return read_seeds(path) if path.exists() else None

    def begin(self, key: Key, paths, replace: bool = False):
        """Writes down the seeds and where submissions lie. Raises StoreError if the folder holds grades of another
        homework, version or seeds, unless these are to be replaced."""
        before = self.settings() or {"paths": []}
        now = {"homework": key.homework, "version": key.version, "seeds": key.seeds}
        other = [name for name in now if before.get(name, now[name]) != now[name]]
        if other and not replace:
            raise StoreError(
                f"{self.out} holds grades of {before['homework']} with another {other[0]}: use another --out, "
                f"or bring these up to date with: course regrade {self.out} --update"
            )
        now["paths"] = list(dict.fromkeys([*before["paths"], *(str(Path(path).resolve()) for path in paths)]))
        if now != before:
            write_text(self.out / "seeds.json", json.dumps(now, indent=1) + "\n")

    def records(self) -> dict[str, dict]:
        """{student: record} of all that is there; a file that is no record is left out."""
        found = {}
        for path in sorted(self.records_folder.glob("*.json")):
            try:
                record = json.loads(path.read_text(encoding="utf-8"))
                found[record["student"]] = record
            except (ValueError, KeyError, TypeError):
                continue
        return found

    def put(self, record: dict):
        """Keeps a record: the file first, then its line in the journal."""
        write_text(self.records_folder / f"{record['student']}.json", json.dumps(record, indent=1, ensure_ascii=True))
        self._note(record)

    def _note(self, record: dict):
        line = {name: record[name] for name in ("student", "sha256", "key", "status")}
        line |= {"earned": sum(row["earned"] for row in record["exercises"]), "graded": record["times"]["graded"]}
        with self.journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def mend(self, key: Key) -> dict[str, dict]:
        """The records that hold for this key; after a kill, the journal is brought to say the same."""
        lines = self.journal.read_bytes() if self.journal.exists() else b""
        whole = lines[: lines.rfind(b"\n") + 1]
        if whole != lines:
            os.truncate(self.journal, len(whole))
        noted = {(entry["student"], entry["sha256"], entry["key"]) for entry in map(json.loads, whole.splitlines())}
        valid = {name: record for name, record in self.records().items() if record["key"] == key.digest}
        for record in valid.values():
            if (record["student"], record["sha256"], record["key"]) not in noted:
                self._note(record)
        return valid


def read_seeds(path: Path) -> dict:
    """A seeds.json: {"homework", "version", "seeds": {exercise: [seeds]}, "paths"}. Raises StoreError if it is none."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        seeds = {str(name): [int(seed) for seed in values] for name, values in found["seeds"].items()}
        if not all(seeds.values()):
            raise ValueError("an exercise without seeds")
        paths = [str(path) for path in found.get("paths", [])]
        return {"homework": str(found["homework"]), "version": str(found["version"]), "seeds": seeds, "paths": paths}
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path} is not a seeds.json as course grade writes it ({error})") from error
