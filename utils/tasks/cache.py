"""Tensors kept in one checked file: whole or not there, whatever happens while it is written."""

import json
import os
import time
import zlib
from contextlib import suppress
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

HOUR = 3600  # seconds after which a temporary file belongs to nobody any more


def checksum(tensors: dict[str, Tensor], notes: str) -> str:
    """CRC-32 of the names, types, shapes and bytes of `tensors`, and of `notes`."""
    value = zlib.crc32(notes.encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        value = zlib.crc32(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode(), value)
        value = zlib.crc32(tensor.reshape(-1).numpy().view("uint8"), value)
    return f"{value:08x}"


def read(path: Path) -> tuple[dict[str, Tensor], dict] | None:
    """The tensors and the notes of the file, or None if it is missing, damaged or no longer readable."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            record = json.loads(file.metadata()["record"])
        if checksum(tensors, record["notes"]) != record["checksum"]:
            return None
        return tensors, json.loads(record["notes"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None


def keep(path: Path, tensors: dict[str, Tensor], notes: dict) -> str | None:
    """Write the file in one step: None if that worked, else the reason why nothing is kept.

    It is written under another name and then renamed, so that a reader, or a second process that keeps the
    same thing, never sees half of it. What a killed process left behind goes with the next call.
    """
    text = json.dumps(notes, ensure_ascii=False, sort_keys=True)
    metadata = {"record": json.dumps({"checksum": checksum(tensors, text), "notes": text})}
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{time.monotonic_ns()}.part")
    try:
        remove_leftovers(path.parent)
        save_file(tensors, temporary, metadata)
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        return str(error)
    return None


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files of this module that are older than an hour."""
    for path in folder.glob("*.safetensors.*.part"):
        try:
            if time.time() - path.stat().st_mtime > HOUR:
                path.unlink()
        except OSError:
            continue
