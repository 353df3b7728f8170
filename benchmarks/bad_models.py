"""A centre whose vision model turns bad: orders per hour against the same seed with a healthy one.

    python benchmarks/bad_models.py [--hours 0.5] [--seed 5] [--share 0.5] [--json]

The model is asked first about every label that is rendered, over HTTP; a stub answers for it, healthy
(it reads the picture) or in one of many bad ways. What it takes counts in the simulated time. Prints
a row per way; ends with 1 where less than 90 % of the orders were done, or a wrong parcel left.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "test" / "vision")]

from stub_openai import StubOpenAI  # noqa: E402

from orchestrator.journal import RunReader  # noqa: E402
from orchestrator.vision.codes import printed  # noqa: E402
from orchestrator.vision.model import Picture  # noqa: E402
from orchestrator.vision.readers.codes import identities  # noqa: E402
from sim.recipe import Recipe, of_site, with_faults  # noqa: E402
from sim.recorded import record  # noqa: E402
from sim.verification import verify  # noqa: E402

SITE = ROOT / "sites" / "jd_small"
WAYS = (
    "good", "slow", "trickle", "limited", "failing", "angry", "dropped", "half", "endless", "html",
    "garbage", "prose", "cut", "declined", "nobody", "obedient", "elsewhere", "offline",
)  # fmt: skip
LEAST = 0.9
READERS = """\
format: 1
readers:
  qwen: {{kind: openai, url: "{url}", model: stub-vl}}
tasks:
  read_label: {{readers: [qwen, codes, tags, ocr], deadline_ms: 3000}}
"""


def reads(request: dict[str, Any]) -> Any:
    """What a good model answers: it looks at the picture."""
    parts = request["messages"][-1]["content"]
    url = next(part["image_url"]["url"] for part in parts if part["type"] == "image_url")
    found = identities(Picture(base64.b64decode(url.partition(",")[2])).image())
    text = printed(found[0]) if len(found) == 1 else ""
    return {"text": text, "others": [], "confidence": 0.97 if text else 0.0}


@contextmanager
def model(way: str) -> Iterator[StubOpenAI]:
    """A stub that behaves so."""
    with StubOpenAI(reads) as stub:
        if way == "offline":
            stub.go_offline()
        else:
            assert hasattr(stub, f"_{way}"), way
            stub.mode = way
        yield stub


def run(recipe: Recipe, way: str, folder: Path) -> dict[str, Any]:
    """One hour, or a part of it."""
    path = folder / f"{way}.run"
    with model(way) as stub:
        figures = record(replace(recipe, readers=READERS.format(url=stub.url)), path)
        asked = len(stub.requests)
    with RunReader(path) as reader:
        verdict = verify(reader)
    return {
        "way": way,
        "orders_done": figures["orders_done"],
        "orders_per_hour": figures["orders_per_hour"],
        "asked": asked,
        "wrong": verdict.figures["wrong"],
        "findings": verdict.findings.total,
    }


def main() -> int:
    """All ways, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--share", type=float, default=0.5, help="of the looks that are rendered")
    parser.add_argument("--ways", nargs="*", default=WAYS, choices=WAYS)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    vision = f"rendered:{arguments.share}"
    made = of_site(SITE, seed=arguments.seed, hours=arguments.hours, vision=vision)
    recipe = with_faults(made, "default")
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for way in dict.fromkeys(("good", *arguments.ways)):
            row = run(recipe, way, Path(folder))
            row["share"] = round(row["orders_done"] / max(1, (rows or [row])[0]["orders_done"]), 3)
            rows.append(row)
            if not arguments.json:
                print(f"{row['way']:>9}  {row['orders_per_hour']:6.1f} orders/h  {row['share']:.3f}  "
                      f"asked {row['asked']:4}  wrong {row['wrong']}  findings {row['findings']}",
                      flush=True)  # fmt: skip
    if arguments.json:
        print(json.dumps(rows))
    return int(any(row["share"] < LEAST or row["wrong"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
