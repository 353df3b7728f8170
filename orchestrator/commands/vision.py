"""`lightsout vision`: try the eyes on a picture."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.commands import command, vision_runs

if TYPE_CHECKING:
    from orchestrator.vision.model import Picture, Question, Verdict
    from orchestrator.vision.settings import Vision

JUDGE = """\
  lightsout vision judge label.jpg --task read_label --expected parcel-o7
  lightsout vision judge *.jpg --task read_label --expected parcel-o7 --known ids.txt --json
  lightsout vision judge box.png --task verify_pick --expected SKU-07:3 --site sites/jd_small
  lightsout vision judge box.png --task verify_pick --expected SKU-07:3 --readers my.yaml --only qwen

exit code: 0 every picture is ok, 1 one is not, 2 unusable input"""
TASKS = ("read_label", "identify_item", "verify_pick", "inspect_damage", "check_lane")
PACKAGES = ("cv2", "PIL", "zxingcpp", "httpx", "onnxruntime", "rapidocr")  # of the extra `vision`
ROW = "  {:<12} {:<24} {:>5}  {:>9}  {}"


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(subparsers, "vision", "try the eyes on pictures", JUDGE)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    vision_runs.add(verbs)
    judge = command(verbs, "judge", "have readers judge pictures, and say what each saw", JUDGE)
    judge.add_argument("pictures", type=Path, nargs="+", metavar="PICTURE", help="JPEG or PNG")
    judge.add_argument("--task", choices=TASKS, default="read_label", help="(read_label)")
    judge.add_argument("--expected", default="", metavar="VALUE", help="id, SKU, or SKU:count")
    judge.add_argument(
        "--known", default="", metavar="FILE|A,B", help="what else it could be: one a line, or here"
    )
    judge.add_argument("--subject", default="", metavar="NAME", help="of check_lane: the lane")
    judge.add_argument(
        "--site",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="with vision.yaml, faces, lanes (.)",
    )
    judge.add_argument("--readers", type=Path, metavar="FILE", help="instead of its vision.yaml")
    judge.add_argument("--only", metavar="NAME", help="ask this reader alone")
    judge.add_argument("--json", action="store_true", help="a JSON object a picture")
    judge.set_defaults(carry_out=_judge)


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    try:
        done: int = arguments.carry_out(arguments)
        return done
    except ModuleNotFoundError as error:
        if error.name not in PACKAGES:
            raise
        print(
            f"lightsout: {error.name} is missing -> pip install 'lightsout[vision]'",
            file=sys.stderr,
        )
        return 2


def _judge(arguments: argparse.Namespace) -> int:
    from orchestrator.vision.model import Picture, PictureError  # noqa: PLC0415
    from orchestrator.vision.settings import load  # noqa: PLC0415

    question = _question(arguments)
    if isinstance(question, str):
        print(f"lightsout: {question}", file=sys.stderr)
        return 2
    vision = load(arguments.site, arguments.readers).about(question.task)
    if arguments.only:
        vision = vision.alone(question.task, arguments.only)
    pictures = []
    for path in arguments.pictures:
        try:
            pictures.append(Picture(path.read_bytes()))
            pictures[-1].image()
        except OSError as error:
            mend = "name a JPEG or PNG file"
            print(f"lightsout: {path}: {error.strerror} -> {mend}", file=sys.stderr)
            return 2
        except PictureError as error:
            print(f"lightsout: {path}: {error}", file=sys.stderr)
            return 2
    verdicts = asyncio.run(_judged(vision, pictures, question))
    for path, picture, verdict in zip(arguments.pictures, pictures, verdicts, strict=True):
        if arguments.json:
            print(json.dumps({"picture": str(path), "sha256": picture.sha256} | asdict(verdict)))
        else:
            _show(path, verdict)
    return 0 if all(verdict.outcome == "ok" for verdict in verdicts) else 1


def _question(arguments: argparse.Namespace) -> Question | str:
    """The question, or what is wrong with it."""
    from orchestrator.vision.model import Question  # noqa: PLC0415

    task, expected = arguments.task, arguments.expected
    if task == "check_lane":
        if expected or not arguments.subject:
            return (
                "check_lane expects nothing -> leave --expected out, and name the lane: --subject"
            )
    elif not expected:
        return f"{task} needs to know what is expected -> add --expected"
    if task == "verify_pick":
        sku, _, count = expected.rpartition(":")
        if not sku or not count.isdecimal():
            return f"--expected {expected!r} -> write SKU:count, as SKU-07:3"
    try:
        known = _known(arguments.known) or [expected.rpartition(":")[0] or expected]
    except (OSError, UnicodeError) as error:
        return f"--known {arguments.known}: {error} -> name a text file, or A,B"
    return Question(task, expected, frozenset(known), arguments.subject)


def _known(text: str) -> list[str]:
    """Of a file, or as they stand. What looks like a file's name is one."""
    if Path(text).is_file() or Path(text).suffix in (".txt", ".csv") or "/" in text:
        lines = Path(text).read_text(encoding="utf-8").splitlines()
    else:
        lines = text.split(",")
    return [line.strip() for line in lines if line.strip()]


async def _judged(vision: Vision, pictures: Sequence[Picture], question: Question) -> list[Verdict]:
    from orchestrator.vision.assembly import chain_of  # noqa: PLC0415

    chain = chain_of(vision)
    try:
        await chain.warm()
        return [await chain.judge(picture, question) for picture in pictures]
    finally:
        await chain.close()


def _show(path: Path, verdict: Verdict) -> None:
    said = f" {verdict.value}" if verdict.value else ""
    by = f" by {verdict.model}, {verdict.confidence:.3f}" if verdict.model else ""
    print(f"{path}: {verdict.outcome}{said}{by}, {verdict.latency_ms:.0f} ms")
    for step in verdict.trail:
        value = step.value or (f"! {step.error}" if step.error else "nothing")
        sure = f"{step.confidence:.3f}" if step.value else ""
        print(ROW.format(step.model, value, sure, f"{step.latency_ms:.1f} ms", step.note).rstrip())
