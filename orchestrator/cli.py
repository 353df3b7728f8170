"""`lightsout`: the command line. Each command is a module of `orchestrator.commands`.

Exit codes: 0 done, 1 something was found (a contact, a difference, a bad layout), 2 unusable input.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys

COMMANDS = (
    "demo", "run", "replay", "verify", "report", "export", "view", "salvage", "layout", "sweep",
    "bench", "fork", "compare", "reconcile", "rehearse", "serve", "fleet", "orders", "host", "api",
    "broker", "safety", "vision",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="lightsout",
        description="Orchestrator of fully automated logistics centres.",
        epilog="Begin with: lightsout demo. Each command explains itself: lightsout run --help.",
    )
    parser.add_argument("--version", action="version", version=f"lightsout {version()}")
    keep_kernels()
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    modules = {}
    for name in COMMANDS:
        module = importlib.import_module(f"orchestrator.commands.{name}")
        modules[name] = module
        module.add(subparsers)
    parsed = parser.parse_args(arguments)
    try:
        return int(modules[parsed.command].run(parsed))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0
    except known_errors() as error:
        print(f"lightsout: {error}", file=sys.stderr)
        return 2


def keep_kernels() -> None:
    """Compiled kernels go to the user's cache, unless NUMBA_CACHE_DIR names another place: the
    package's own folder may not be writable."""
    from planners.cache import directory  # noqa: PLC0415

    os.environ.setdefault("NUMBA_CACHE_DIR", str(directory() / "numba"))


def version() -> str:
    """The installed version."""
    from importlib import metadata  # noqa: PLC0415

    try:
        return metadata.version("lightsout")
    except metadata.PackageNotFoundError:
        return "0 (not installed)"


def known_errors() -> tuple[type[Exception], ...]:
    """Errors that are the input's fault and carry their own mend."""
    from orchestrator.api.presence import MasterThere  # noqa: PLC0415
    from orchestrator.certificate import CertificateError  # noqa: PLC0415
    from orchestrator.commands import OutputError  # noqa: PLC0415
    from orchestrator.commands.bench_wire import BenchError  # noqa: PLC0415
    from orchestrator.commands.operator import NoAnswer  # noqa: PLC0415
    from orchestrator.host.records import HostFileError  # noqa: PLC0415
    from orchestrator.journal import RunFileError  # noqa: PLC0415
    from orchestrator.layout import LayoutError  # noqa: PLC0415
    from orchestrator.mqtt.access import AccessError  # noqa: PLC0415
    from orchestrator.mqtt.address import AddressError  # noqa: PLC0415
    from orchestrator.mqtt.credentials import CredentialsError  # noqa: PLC0415
    from orchestrator.safety.mapping import MappingError  # noqa: PLC0415
    from orchestrator.vision.policy import ChainError  # noqa: PLC0415
    from sim.cameras.levels import LevelError  # noqa: PLC0415
    from sim.li_lim import LiLimError  # noqa: PLC0415
    from sim.lorr_checkpoint import CheckpointError  # noqa: PLC0415
    from sim.lorr_files import InstanceError  # noqa: PLC0415
    from sim.scenario import ScenarioError  # noqa: PLC0415

    return (
        OSError,
        BenchError,
        CertificateError,
        CheckpointError,
        OutputError,
        NoAnswer,
        RunFileError,
        LayoutError,
        AddressError,
        HostFileError,
        AccessError,
        CredentialsError,
        ChainError,
        MappingError,
        MasterThere,
        InstanceError,
        LevelError,
        LiLimError,
        ScenarioError,
    )


if __name__ == "__main__":
    sys.exit(main())
