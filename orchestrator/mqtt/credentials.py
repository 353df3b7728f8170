"""A folder with all that Mosquitto needs for a site: certificates, passwords, access list, settings.

Certificates are made by the `openssl` program, passwords hashed the way Mosquitto does (PBKDF2).
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from orchestrator.mqtt import access

DAYS = 3650
SALT_BYTES = 12
# Mosquitto's own number; a guessable password would need more, and these are 192 random bits.
ITERATIONS = 101
SETTINGS = Path(__file__).with_name("mosquitto.conf")
EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class CredentialsError(ValueError):
    """The folder can't be made or used; the text says why and what to do."""


class BrokerFolder:
    """The folder `lightsout broker` keeps. Its `users/` hold what is handed to each user."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def create(
        self, site: str, interfaces: Sequence[str], hosts: Sequence[str], ports: tuple[int, int]
    ) -> list[str]:
        """Write everything anew with a user per role; raises where something is there already."""
        if self.path.exists() and any(self.path.iterdir()):
            mend = "give a new folder, or add users to this one with `lightsout broker add`"
            raise CredentialsError(f"{self.path}: is not empty; {mend}")
        if any(mark in str(self.path) for mark in "\n\r"):
            raise CredentialsError(f"{str(self.path)!r}: no folder for a settings file")
        for folder in (self.path, self.path / "users", self.path / "data"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = SETTINGS.read_text(encoding="utf-8").replace("@FOLDER@", str(self.path))
        settings = settings.replace("@PORT@", str(ports[0]))
        settings = settings.replace("@CERTIFICATE_PORT@", str(ports[1]))
        self._write("mosquitto.conf", settings)
        self._write("site", "\n".join([site, *interfaces]) + "\n")
        self._write("acl", "# Written by `lightsout broker`: who is not here may do nothing.\n")
        self._write("passwords", "")
        self._openssl(
            "req", "-x509", *EC, "-days", str(DAYS), "-subj", f"/CN=Lightsout {_plain(site)}",
            "-keyout", "ca.key", "-out", "ca.crt",
        )  # fmt: skip
        self._certificate("server", "server", f"subjectAltName={_alternatives(hosts)}")
        return [self.add(role, "") for role in access.ROLES]

    def add(self, role: str, name: str) -> str:
        """Add a user with password and certificate; `name` of a vehicle: manufacturer/serial."""
        site, interfaces = self._site()
        if role == access.VEHICLE:
            manufacturer, slash, serial = name.partition("/")
            if not slash:
                text = f"'{name}' names no vehicle: write manufacturer/serial"
                raise access.AccessError(text)
            user, entry = access.vehicle_entry(manufacturer, serial, interfaces)
        else:
            user, entry = access.role_entry(role, name, site, interfaces)
        listed = (self.path / "acl").read_text(encoding="utf-8")
        if f"\nuser {user}\n" in f"\n{listed}":
            raise CredentialsError(f"{self.path}: there is a user '{user}' already")
        password = secrets.token_urlsafe(24)
        self._certificate(f"users/{user}", user, "extendedKeyUsage=clientAuth")
        self._write(f"users/{user}.password", password + "\n")
        hashes = (self.path / "passwords").read_text(encoding="utf-8")
        self._write("passwords", f"{hashes}{user}:{password_hash(password)}\n")
        self._write("acl", f"{listed}\n{entry}")  # last: who is in it is there as a whole
        return user

    def _site(self) -> tuple[str, list[str]]:
        try:
            site, *interfaces = (self.path / "site").read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            text = f"{self.path}: no folder of a broker; make one with `lightsout broker init`"
            raise CredentialsError(text) from error
        return site, interfaces

    def _write(self, name: str, text: str) -> None:
        """For the owner's eyes, and never half a file."""
        part = self.path / f"{name}.part"
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        target = self.path / name
        if target.exists() and os.geteuid() == 0:  # the folder may belong to Mosquitto's user
            owner = target.stat()
            os.chown(part, owner.st_uid, owner.st_gid)
        part.replace(target)

    def _certificate(self, name: str, common_name: str, extension: str) -> None:
        """A key and a certificate signed by the folder's own authority."""
        self._openssl(
            "req", "-new", *EC, "-subj", f"/CN={common_name}",
            "-keyout", f"{name}.key", "-out", f"{name}.csr",
        )  # fmt: skip
        self._write(f"{name}.ext", extension + "\n")
        self._openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
            "-set_serial", str(secrets.randbits(120)), "-days", str(DAYS), "-sha256",
            "-extfile", f"{name}.ext", "-out", f"{name}.crt",
        )  # fmt: skip
        for suffix in ("csr", "ext"):
            (self.path / f"{name}.{suffix}").unlink()

    def _openssl(self, *arguments: str) -> None:
        program = shutil.which("openssl")
        if program is None:
            raise CredentialsError("no `openssl` program: install it (apt-get install openssl)")
        done = subprocess.run(
            [program, *arguments], cwd=self.path, capture_output=True, text=True, check=False
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise CredentialsError(f"openssl {arguments[0]} failed in {self.path}: {last}")


def password_hash(password: str, salt: bytes | None = None) -> str:
    """As `mosquitto_passwd` writes it: $7$iterations$salt$hash, PBKDF2 with SHA-512."""
    salt = salt or secrets.token_bytes(SALT_BYTES)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${_text(salt)}${_text(key)}"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _plain(text: str) -> str:
    return "".join(mark if mark.isalnum() or mark in "-_ ." else "-" for mark in text)[:48]


def _alternatives(hosts: Sequence[str]) -> str:
    """The names and addresses that a client may have connected to."""
    named = []
    for host in hosts:
        try:
            named.append(f"IP:{ip_address(host)}")
        except ValueError:
            if not host or any(mark in host for mark in ",:/\n\r "):
                raise CredentialsError(f"'{host}' is neither host name nor address") from None
            named.append(f"DNS:{host}")
    return ",".join(named)
