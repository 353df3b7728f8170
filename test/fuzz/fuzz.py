"""Look for bytes that break a reader of strangers' messages: `make fuzz`.

Coverage-guided, with atheris (`pip install lightsout[fuzz]`). Each target has its own process; what
it has learnt stays in .cache/fuzz. Bytes that break one are put into test/fuzz/kept, where the tests
find them from then on.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import random
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(ROOT))
FOUND = 77  # libFuzzer's exit code for a crash
READERS = ("orchestrator.vda5050", "orchestrator.api", "orchestrator.host")


def main() -> int:
    """All targets, or those that are named, for so many seconds each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments, rest = parser.parse_known_args()
    if importlib.util.find_spec("atheris") is None:
        print("There is no atheris: pip install 'lightsout[fuzz]'", file=sys.stderr)
        return 2
    if arguments.one:
        return fuzz(arguments.one, rest)
    from targets import TARGETS  # noqa: PLC0415

    unknown = [name for name in arguments.targets if name not in TARGETS]
    if unknown:
        print(f"{unknown[0]!r} is no target -> {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    broken = [name for name in arguments.targets or TARGETS if run(name, arguments.seconds)]
    if broken:
        print(f"broken: {', '.join(broken)}; the bytes are in test/fuzz/kept", file=sys.stderr)
    return 1 if broken else 0


def run(name: str, seconds: int) -> bool:
    """A target in a process of its own. True: something was found, and kept."""
    from targets import seeds  # noqa: PLC0415

    corpus, crashes = ROOT / ".cache" / "fuzz" / name, ROOT / ".cache" / "fuzz" / f"{name}.crashes"
    shutil.rmtree(crashes, ignore_errors=True)
    for folder in (corpus, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds(name):
        keep(seed, corpus)
    print(f"== {name}: {seconds} s", flush=True)
    limits = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2000", "-max_len=16384"]
    command = [sys.executable, __file__, "--one", name, *limits, "-print_final_stats=1",
               f"-artifact_prefix={crashes}/", str(corpus)]  # fmt: skip
    code = subprocess.run(command, check=False).returncode
    found = [path for path in crashes.iterdir() if path.is_file()]
    for path in found:
        keep(path.read_bytes(), HERE / "kept" / name)
    return bool(found) or code != 0


def keep(data: bytes, folder: Path) -> None:
    """Under a name of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{hashlib.sha256(data).hexdigest()[:16]}.bin").write_bytes(data)


def fuzz(name: str, options: list[str]) -> int:
    """In the process of its own: bytes changed at random, and JSON that stays JSON."""
    import atheris  # noqa: PLC0415

    with atheris.instrument_imports(include=list(READERS)):
        from targets import TARGETS, loaded  # noqa: PLC0415
    from mutations import mutated  # noqa: PLC0415

    loaded()
    parts = b"\0" if name == "master" else b""

    def mutate(data: bytes, size_max: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.7:
            found = mutated(data, chance, parts)
            if found != data and len(found) <= size_max:
                return found
        return atheris.Mutate(data, size_max)

    atheris.Setup([sys.argv[0], *options], TARGETS[name], custom_mutator=mutate)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
