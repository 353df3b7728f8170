"""Where the broker is and who we are to it: the URL, the certificates, the last will."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

PORTS = {"mqtt": 1883, "mqtts": 8883}
FORM = "write mqtt://host:1883, or mqtts://user:password@host:8883 with TLS"


class AddressError(ValueError):
    """The address or its certificates can't be used; the text says what to mend."""

    def __init__(self, place: str, what: str, mend: str) -> None:
        super().__init__(f"{place}: {what}; {mend}")


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificates for `mqtts`; without a CA file the machine's own authorities count."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Read the files; raises `AddressError` that names the one that is no good."""
        if (self.certificate is None) != (self.key is None):
            raise AddressError("TLS", "a client certificate needs its key", "give both or none")
        for path in (self.ca, self.certificate, self.key):
            if path is not None and not path.is_file():
                raise AddressError(str(path), "no such file", "name a PEM file")
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (ssl.SSLError, OSError) as error:
            mend = "name the PEM file of the authority that signed the broker's certificate"
            raise AddressError(str(self.ca), f"no CA certificate ({error})", mend) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.certificate is not None and self.key is not None:
            try:
                # An encrypted key fails here: there is nobody to type its password.
                context.load_cert_chain(self.certificate, self.key, password="")
            except (ssl.SSLError, OSError, ValueError) as error:
                what = f"doesn't go with {self.key} ({error})"
                mend = "give a PEM certificate and its own key, unencrypted"
                raise AddressError(str(self.certificate), what, mend) from error
        return context


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes for us when we are gone without a word."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = True


@dataclass(frozen=True, slots=True)
class Address:
    """A broker's address. Its text leaves the password out."""

    host: str
    port: int
    encrypted: bool
    user: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read `mqtt://[user[:password]@]host[:port]`; raises `AddressError`."""
        parts = _split(url)
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        if "://" not in url:
            raise AddressError(f"'{url.rpartition('@')[2]}'", "is no MQTT address", FORM)
        if parts.scheme not in PORTS:
            raise AddressError(shown, f"'{parts.scheme}' is neither mqtt nor mqtts", FORM)
        if not parts.hostname:
            raise AddressError(shown, "no host", FORM)
        if parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise AddressError(shown, "there is something behind the port", FORM)
        try:
            port = parts.port
        except ValueError as error:
            raise AddressError(shown, "the port is no number of 1-65535", FORM) from error
        if port == 0:
            raise AddressError(shown, "the port is no number of 1-65535", FORM)
        if parts.password is not None and not parts.username:
            raise AddressError(shown, "a password without a user", FORM)
        return cls(
            parts.hostname,
            port or PORTS[parts.scheme],
            parts.scheme == "mqtts",
            None if parts.username is None else unquote(parts.username),
            None if parts.password is None else unquote(parts.password),
        )

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.encrypted else 'mqtt'}://{host}:{self.port}"

    def __repr__(self) -> str:
        return f"Address({self}, user={self.user!r})"


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:  # the text may hold a password: don't repeat it
        raise AddressError("MQTT address", str(error), FORM) from None
