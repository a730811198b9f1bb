"""The instructor's page: who waits for a person, how the points lie, what the class misunderstood."""

from collections import Counter
from statistics import median

from utils.grading.official.report import pages
from utils.grading.official.report.standing import WAITS, maximum, standing
from utils.grading.official.report.written import changed

MOST = 10  # misconceptions that one lecture can talk about
STEPS = (0.5, 1, 2, 5, 10, 20, 50, 100)  # points that one bar of the histogram spans


def page(records: list[dict], homework: dict, rows: dict, record_place: str) -> str:
    """The whole page; record_place: where a record lies, with {student} for the student."""
    graded = [record for record in records if record["status"] == "graded"]
    sums = [standing(record, rows) for record in records]
    known = {(record["student"], question["name"]) for record in records for question in record["written"]}
    return pages.render(
        "summary.html", homework=homework, records=records, graded=graded, most=maximum(homework),
        people=[record for record in records if record["status"] != "graded"],
        others=[record for record in records if record["others"]],
        waiting=sum(now.status == WAITS for now in sums),
        changed=[key for key, row in rows.items() if key in known and changed(row)],
        strangers=[key for key in rows if key not in known],
        chart=histogram([now.automatic for now in sums if now.automatic is not None], maximum(homework, "exercises")),
        exercises=[_exercise(entry, graded) for entry in homework["exercises"]],
        misconceptions=misconceptions(graded),
        students=[_student(record, now, record_place) for record, now in zip(records, sums, strict=True)],
        levels=_count(record["isolation"] or "nothing was run" for record in records),
        versions=_count(", ".join(f"{name} {what}" for name, what in record["versions"].items()) for record in records),
    )  # fmt: skip


def misconceptions(graded: list[dict]) -> list[dict]:
    """The commonest ones: exercise, sentence, and how many students."""
    every = (entry for record in graded for entry in record["exercises"] if entry["misconception"])
    counted = Counter((entry["name"], entry["misconception"]) for entry in every)
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [{"name": name, "sentence": text, "count": count} for (name, text), count in ranked[:MOST]]


def histogram(points: list[float], most: float) -> dict | None:
    """Bars from 0 to `most`; the last one holds full points too. None without points.

    {"bars": [{"low", "high", "count", "x", "width", "y", "height"}], "top", "median"}, in a drawing of 700 x 220.
    """
    if not points or most <= 0:
        return None
    step = next((step for step in STEPS if most / step <= 25), most / 25)
    number = max(1, int(-(-most // step)))
    counts = Counter(min(int(value / step), number - 1) for value in points)
    top, width = max(counts.values()), 680 / number
    bars = []
    for index in range(number):
        height = 170 * counts[index] / top
        place = {"x": 10 + index * width, "width": width - 2, "y": 190 - height, "height": height}
        high = most if index == number - 1 else (index + 1) * step
        bars.append({"low": index * step, "high": high, "count": counts[index], **place})
    return {"bars": bars, "top": top, "median": median(points)}


def _exercise(entry: dict, graded: list[dict]) -> dict:
    """One exercise over the class: share of full points, median seconds, the commonest kinds of failure."""
    found = [one for record in graded for one in record["exercises"] if one["name"] == entry["name"]]
    seconds = [one["seconds"] for one in found if one["kind"] != "missing"]
    kinds = Counter(one["kind"] for one in found if one["kind"] != "passed")
    full = sum(one["earned"] >= one["points"] for one in found)
    return {
        **entry,
        "share": full / len(found) if found else None,
        "seconds": median(seconds) if seconds else None,
        "kinds": [(pages.state(kind), count) for kind, count in kinds.most_common(3)],
    }


def _student(record: dict, now, record_place: str) -> dict:
    student = record["student"]
    given = [points for points in now.written.values() if points is not None]
    return {
        "record": record,
        "now": now,
        "written": sum(given) if len(given) == len(now.written) and given else None,
        "page": pages.place(student),
        "json": record_place.format(student=student),
    }


def _count(values) -> list[tuple[str, int]]:
    return Counter(values).most_common()
