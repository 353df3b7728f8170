"""Results that are worth keeping between runs, on disk by content hash."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
BYTES_MAX = 1 << 30  # of all that is kept; what was not used for longest goes first
PART = ".part-"


def directory() -> Path:
    """LIGHTSOUT_CACHE, else `lightsout` in XDG_CACHE_HOME or in the user's cache directory."""
    own = os.environ.get("LIGHTSOUT_CACHE")
    if own:
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path("~/.cache").expanduser()) / "lightsout"


def cached(kind: str, key: bytes, compute: Callable[[], T]) -> T:
    """Return what `compute` returns, from disk where the same key was computed before. A damaged or
    foreign file is warned of and computed anew; where nothing can be written, nothing is kept."""
    digest = hashlib.sha256(kind.encode() + b"\0" + key).hexdigest()
    try:
        path = directory() / f"{kind}-{digest[:32]}.bin"
    except RuntimeError:  # this user has no home
        return compute()
    try:
        blob = path.read_bytes()
        if blob[:32] != hashlib.sha256(blob[32:]).digest():
            raise ValueError("its content is not what was written")
        value: T = pickle.loads(blob[32:])  # our own file, whole by its hash
    except (FileNotFoundError, NotADirectoryError):
        pass
    except Exception as error:  # whatever a damaged, or another version's, pickle comes to
        text = f"{path} can't be used ({error}): computed again"
        warnings.warn(text, RuntimeWarning, stacklevel=2)
    else:
        _used(path)
        return value
    value = compute()
    _keep(path, pickle.dumps(value, protocol=5))
    return value


def _used(path: Path) -> None:
    with contextlib.suppress(OSError):  # somebody else's folder: then it is as old as it was
        os.utime(path)


def _keep(path: Path, body: bytes) -> None:
    """Write as a whole or not at all: others may read and write the same file."""
    if len(body) > BYTES_MAX:
        return
    part = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_room(path.parent, BYTES_MAX - len(body))
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=PART, delete=False) as file:
            part = Path(file.name)
            file.write(hashlib.sha256(body).digest() + body)
        os.replace(part, path)
    except OSError:
        if part is not None:
            part.unlink(missing_ok=True)


def _make_room(folder: Path, bytes_max: int) -> None:
    """Forget what was not used for longest, until the rest is no more than that. What others are just
    writing counts, and goes when it was left behind."""
    files = []
    for path in (*folder.glob("*-*.bin"), *folder.glob(f"{PART}*")):
        try:
            stat = path.stat()
        except FileNotFoundError:  # somebody else makes room, too
            continue
        files.append((stat.st_mtime_ns, path, stat.st_size))
    total = sum(size for _, _, size in files)
    for _, path, size in sorted(files):
        if total <= bytes_max:
            return
        path.unlink(missing_ok=True)
        total -= size
