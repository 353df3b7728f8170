"""Who broke the protocol."""

from __future__ import annotations


class LocalError(Exception):
    """We did: this is a bug of ours."""


class RemoteError(Exception):
    """The other side did. `place`: which field of which message; `reason`: what is wrong with it."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place, self.reason = place, reason
