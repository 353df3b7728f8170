"""Why there is no connection, in words that say what to mend."""

from __future__ import annotations

import logging
import socket
import ssl
from dataclasses import dataclass
from typing import Literal

import aiomqtt
from aiomqtt.exceptions import MqttConnectError

from orchestrator.mqtt.address import Address

Kind = Literal["name", "refused", "timeout", "tls", "credentials", "subscription", "lost"]
# CONNACK's return codes 4 and 5 of MQTT 3.1.1, as the client library numbers them.
REFUSED_CREDENTIALS = {134, 135}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something between us and the broker that somebody may have to mend."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        return self.text


class LastWords(logging.Handler):
    """Keeps the library's last complaint: TLS alerts after the handshake are told nowhere else."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()


def trouble_of(
    error: aiomqtt.MqttError, address: Address, last_words: str, user: str | None = None
) -> Trouble:
    """Say why connecting to `address` as `user` failed or the connection ended."""
    cause = error.__context__ or error.__cause__  # the library hides the cause it wraps
    code = getattr(error, "rc", None)
    refused = isinstance(error, MqttConnectError)
    if refused and getattr(code, "value", code) in REFUSED_CREDENTIALS:
        who = f"as '{user}'" if user else "without a user"
        text = f"the broker {address} refuses us {who}: check user, password and certificate"
        return Trouble("credentials", text)
    if isinstance(cause, socket.gaierror):
        return Trouble(
            "name", f"no address for '{address.host}' ({cause.strerror}): check the name"
        )
    if isinstance(cause, ssl.SSLCertVerificationError):
        text = f"{address} shows a certificate that we don't trust ({cause.verify_message})"
        return Trouble("tls", f"{text}: check the CA file and the name in the certificate")
    if isinstance(cause, ssl.SSLError) or "SSL" in last_words:
        return Trouble("tls", f"no TLS with {address} ({_tls_words(cause, last_words)})")
    if isinstance(cause, ConnectionRefusedError):
        return Trouble("refused", f"nobody listens on {address}: is the broker running?")
    if isinstance(cause, TimeoutError) or "timed out" in str(error):
        text = f"{address} doesn't answer: check the address, the port and whether it wants TLS"
        return Trouble("timeout", text)
    if isinstance(error.__cause__, aiomqtt.MqttError):
        return Trouble("lost", f"the connection with {address} is lost ({error.__cause__})")
    return Trouble("lost", f"no connection with {address}: {last_words or error}")


def _tls_words(cause: BaseException | None, last_words: str) -> str:
    if isinstance(cause, ssl.SSLError):
        return f"{cause.reason or cause}: does it speak TLS on this port?"
    return f"{last_words}: does the broker know our certificate?"
