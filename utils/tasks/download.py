"""Download a file, go on where an earlier try stopped, and trust it only when its checksum is right."""

import hashlib
import http.client
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path

PATIENCE = 30  # seconds without an answer
CHUNK = 1 << 16
STEP = 2_000_000  # bytes between two lines of progress
LARGEST = 100_000_000  # bytes


class DownloadError(Exception):
    """The file could not be had; the message says why in one sentence."""


def download(url: str, path: Path, md5: str) -> None:
    """Make sure that `path` is there and whole: nothing to do if it exists, else fetch it from `url`.

    What has arrived is kept in a .part file beside it, which a later call completes. Two processes may do this at
    once: both write the same bytes to the same places. Raises DownloadError.
    """
    if path.exists():
        return
    part = path.with_name(path.name + ".part")
    try:
        fetch_rest(url, part)
        found = hashlib.md5(part.read_bytes(), usedforsecurity=False).hexdigest()
        if found == md5:
            os.replace(part, path)
            return
        part.unlink(missing_ok=True)
    except urllib.error.HTTPError as error:
        raise DownloadError(f"{url} answered {error.code} ({error.reason}).") from error
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise DownloadError(f"{url} could not be fetched ({reason}); {advice(reason)}") from error
    except FileNotFoundError as error:
        if path.exists():  # another process was faster
            return
        raise DownloadError(f"{part} went away while it was written; try again.") from error
    except OSError as error:
        raise DownloadError(f"{part} could not be written ({error.strerror or error}); it needs 10 MB.") from error
    raise DownloadError(f"{url} did not send the published file (MD5 {found}, expected {md5}); it was deleted.")


def advice(reason: object) -> str:
    """What to do about a connection that failed."""
    if isinstance(reason, ssl.SSLCertVerificationError):
        return "Python trusts nobody who vouches for it: on a Mac, run 'Install Certificates.command' in its folder"
    return "is there a network?"


def fetch_rest(url: str, part: Path) -> None:
    """Append to `part` what it lacks. Raises DownloadError when the connection ends early, OSError otherwise."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=PATIENCE)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing is left to send: the checksum will tell
            return
        raise
    part.touch()
    with answer, open(part, "r+b") as file:
        if answer.status != 206 or not (answer.headers["Content-Range"] or "").startswith(f"bytes {have}-"):
            have = 0  # the server sends the whole file
        length = answer.headers["Content-Length"]
        total = have + int(length) if length and length.isdigit() else None
        print(f"{url}" + (f" (from {have / 1e6:.1f} MB on)" if have else ""), flush=True)
        file.seek(have)
        while block := answer.read(CHUNK):
            if have // STEP < (have := have + file.write(block)) // STEP:
                print(f"  {have / 1e6:.0f} of {(total or 0) / 1e6:.1f} MB", flush=True)
            if have > LARGEST:
                file.truncate(0)
                raise DownloadError(f"{url} sends more than {LARGEST / 1e6:.0f} MB, expected about 10 MB.")
    if total and have < total:
        raise DownloadError(f"The connection broke off after {have:,} of {total:,} bytes of {url}.")
    os.truncate(part, have)
