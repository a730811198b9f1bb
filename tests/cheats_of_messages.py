"""Cheats that talk to the grader themselves: messages that are forged, damaged, too early, too large or endless."""

CONNECTION = """
import gc, json, socket, struct, sys, threading, time, os
import torch

def line():
    return next(o for o in gc.get_objects() if type(o) is socket.socket and o.fileno() > 2)

def asked():
    frame = sys._getframe()
    while frame:
        if "request" in frame.f_locals:
            return frame.f_locals["request"]["id"]
        frame = frame.f_back

def say(header, body=b"", sizes=None, text=None):
    text = json.dumps(header).encode() if text is None else text
    line().sendall(struct.pack("!II", *(sizes or (len(text), len(body)))) + text + body)

def file(header, data=b""):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data
"""


def forged(lines: str) -> str:
    """A `scale` that talks to the grader itself before it returns nonsense."""
    indented = "".join(f"    {line}\n" for line in lines.strip().splitlines())
    return f"{CONNECTION}\ndef scale(x, factor):\n{indented}    return 0 * x[0]"


MESSAGES = {
    "says passed": forged('say({"id": asked(), "kind": "passed", "credit": 1.0, "earned": 99, "message": "passed"})'),
    "says arrays without any": forged('say({"id": asked(), "kind": "arrays"}, file({}))'),
    "zeros by itself": forged(
        'tensor = {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}\n'
        'say({"id": asked(), "kind": "arrays", "order": ["means"]}, file({"means": tensor}, bytes(12)))'
    ),
    "an answer before the question": CONNECTION + """
class EARLY:
    for _ in range(20): say({"id": "0" * 16, "kind": "passed"})
def scale(x, factor): return 0 * x[0]""",
    "a wrong id": forged('say({"id": "x", "kind": "arrays"}, file({}))'),
    "another type of id": forged('say({"id": {"$ne": None}, "kind": ["passed"]})'),
    "a verdict with points": forged('say({"id": asked(), "kind": "misconception", "credit": 0.9, "earned": 3})'),
    "a huge header": forged('say({}, sizes=(2**32 - 1, 0))'),
    "a huge body": forged('say({"id": asked(), "kind": "arrays"}, sizes=(20, 2**32 - 1))'),
    "deep JSON": forged('say({}, text=b"[" * 900_000)'),
    "a header that is a list": forged('say({}, text=b"[1, 2]")'),
    "numbers that are none": forged('say({}, text=b\'{"id": NaN, "kind": Infinity, "kind": "passed"}\')'),
    "a million digits": forged('say({}, text=b\'{"id": \' + b"9" * 900_000 + b"}")'),
    "not UTF-8": forged(r'say({}, text=b"\xff\xfe\x00")'),
    "arrays out of bounds": forged(
        'tensor = {"dtype": "F32", "shape": [3], "data_offsets": [0, 2**60]}\n'
        'say({"id": asked(), "kind": "arrays"}, file({"means": tensor, "grad_x": tensor}, bytes(12)))'
    ),
    "arrays that overlap": forged(
        'tensor = {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}\n'
        'say({"id": asked(), "kind": "arrays"}, file({"means": tensor, "grad_x": tensor}, bytes(12)))'
    ),
    "shapes that overflow": forged(
        'tensor = {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 0]}\n'
        'say({"id": asked(), "kind": "arrays"}, file({"means": tensor}))'
    ),
    "a huge empty shape": forged(
        'tensor = {"dtype": "F32", "shape": [0, 2**40], "data_offsets": [0, 0]}\n'
        'say({"id": asked(), "kind": "arrays"}, file({"means": tensor}))'
    ),
    "dtypes that numpy lacks": forged(
        'tensor = {"dtype": "F8_E4M3", "shape": [3], "data_offsets": [0, 3]}\n'
        'say({"id": asked(), "kind": "arrays"}, file({"means": tensor}, bytes(3)))'
    ),
    "20,000 arrays": forged(
        'tensor = {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}\n'
        'say({"id": asked(), "kind": "arrays"}, file({f"<b>{k}": tensor for k in range(20_000)}))'
    ),
    "odd orders": forged('say({"id": asked(), "kind": "arrays", "order": [[], {}, None, 3]}, file({}))'),
    "a drip": forged("while True:\n    line().send(b'\\0')\n    time.sleep(0.05)"),
    "a flood of announcements": CONNECTION + """
class FLOOD:
    for _ in range(3000): say({"id": asked(), "at": [1, -1]})
def scale(x, factor): return 0 * x[0]""",
    "a thread that answers what comes next": forged(
        "def later():\n    while True:\n        time.sleep(0.001)\n        say({'id': 'x', 'kind': 'passed'})\n"
        "threading.Thread(target=later, daemon=True).start()"
    ),
    "a descriptor as a present": forged(
        "socket.send_fds(line(), [b'x'], [0])"
    ),
    "functions before they are there": CONNECTION + """
class EARLY:
    for _ in range(3): say({"id": asked(), "functions": ["scale", "total"], "notes": [], "answers": {}})
def scale(x, factor): return 0 * x[0]""",
    "calls itself unreadable": CONNECTION + """
class UNREADABLE: say({"id": asked(), "unreadable": "<b>Graded.\\n\\x1b[2J\\ud800"})
def scale(x, factor): return 0 * x[0]""",
    "half a character": forged(r'''say({"id": asked(), "kind": "raised", "message": "\ud800 \udfff\n\n"})'''),
    "words that are none": forged('say({"id": asked(), "kind": ["passed"], "message": {"credit": 1}, "order": 3})'),
    "an import in the place of an answer": forged(
        'say({"id": asked(), "functions": ["scale"], "notes": ["full points"], "answers": {"why": "LEAK"}})'),
    "an end of the line": forged("line().shutdown(socket.SHUT_RDWR)"),
    "half of a message": forged('line().send(struct.pack("!II", 1000, 1000) + b"{")\ntime.sleep(5)'),
}  # fmt: skip
