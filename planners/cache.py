"""Results that are worth keeping between runs, on disk by content hash."""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def directory() -> Path:
    """LIGHTSOUT_CACHE, else the user's cache directory."""
    base = os.environ.get("LIGHTSOUT_CACHE")
    return Path(base) if base else Path("~/.cache/lightsout").expanduser()


def cached(kind: str, key: bytes, compute: Callable[[], T]) -> T:
    """Return what `compute` returns, from disk where the same key was computed before. A damaged or
    foreign file is computed anew; where nothing can be written, nothing is kept."""
    digest = hashlib.sha256(kind.encode() + b"\0" + key).hexdigest()
    try:
        path = directory() / f"{kind}-{digest[:32]}.bin"
    except RuntimeError:  # this user has no home
        return compute()
    try:
        blob = path.read_bytes()
        if blob[:32] == hashlib.sha256(blob[32:]).digest():
            value: T = pickle.loads(blob[32:])  # our own file, whole by its hash
            return value
    except Exception:  # whatever a damaged, or another version's, pickle comes to: compute anew
        pass
    value = compute()
    _keep(path, pickle.dumps(value, protocol=5))
    return value


def _keep(path: Path, body: bytes) -> None:
    """Write as a whole or not at all: others may read and write the same file."""
    part = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            part = Path(file.name)
            file.write(hashlib.sha256(body).digest() + body)
        os.replace(part, path)
    except OSError:
        if part is not None:
            part.unlink(missing_ok=True)
