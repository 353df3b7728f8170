"""`lightsout vision replay` and `faces`: a recorded run's pictures again, and what the fake world's
articles look like."""

from __future__ import annotations

import argparse
import asyncio
import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.commands import command

if TYPE_CHECKING:
    from orchestrator.vision.settings import Vision

REPLAY = """\
  lightsout vision replay day.run                       by the readers that it had
  lightsout vision replay day.run --model codes         by one of them alone
  lightsout vision replay day.run --readers qwen.yaml --json"""
FACES = """\
  lightsout vision faces sites/jd_small --seed 7                  into sites/jd_small/faces
  lightsout vision faces sites/jd_small --seed 7 --lanes 'n+05*'  and these empty lanes, into lanes"""


def add(verbs: Any) -> None:
    """Declare the verbs."""
    replay = command(verbs, "replay", "judge a recorded run's pictures again", REPLAY)
    replay.add_argument("run", type=Path, metavar="RUN")
    replay.add_argument("--readers", type=Path, metavar="FILE", help="another vision.yaml")
    replay.add_argument("--model", metavar="NAME", help="one reader alone, for what it can do")
    replay.add_argument("--json", action="store_true")
    replay.set_defaults(carry_out=run_replay)
    faces = command(verbs, "faces", "write the packs that simulated cameras show", FACES)
    faces.add_argument("site", type=Path, metavar="SITE")
    faces.add_argument("--seed", type=int, default=0, help="of the run (0)")
    faces.add_argument("--out", type=Path, metavar="DIR", help="(SITE/faces)")
    faces.add_argument(
        "--lanes", metavar="PATTERN", help="also these lanes, empty: those with a floor camera"
    )
    faces.set_defaults(carry_out=run_faces)


def run_faces(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    from orchestrator.layout import load_site  # noqa: PLC0415
    from sim.cameras.faces import Catalogue  # noqa: PLC0415
    from sim.cameras.lanes import Lanes  # noqa: PLC0415

    site = load_site(arguments.site).site
    skus = sorted(site.skus)
    folder = arguments.out or arguments.site / "faces"
    Catalogue(arguments.seed).save(folder, skus)
    print(f"{len(skus)} faces in {folder}")
    if arguments.lanes:
        names = [site.roadmap.edge_ids[edge] for edge in sorted(site.floor_cameras)]
        asked = [name for name in names if fnmatchcase(name, arguments.lanes)]
        Lanes(arguments.seed).save(folder.parent / "lanes", asked)
        print(f"{len(asked)} empty lanes in {folder.parent / 'lanes'}")
    return 0


def run_replay(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    from orchestrator.journal import RunReader  # noqa: PLC0415
    from orchestrator.vision.assembly import chain_of  # noqa: PLC0415
    from orchestrator.vision.pictures import find, folder_of  # noqa: PLC0415
    from orchestrator.vision.rejudging import figures, recorded, rejudge  # noqa: PLC0415
    from sim.cameras import Scenes  # noqa: PLC0415
    from sim.eyes import SEEN_AS, TORN  # noqa: PLC0415
    from sim.recipe import Recipe  # noqa: PLC0415
    from sim.scenario import ScenarioError  # noqa: PLC0415
    from sim.vision import packs_of  # noqa: PLC0415

    with RunReader(arguments.run) as reader:
        recipe = Recipe.of(reader.meta)
        site = recipe.load().site
        vision = _settings(arguments, recipe)
        simulated = not reader.meta.get("live")
        scenes = Scenes(recipe.seed)
        faces, lanes = (scenes.faces, scenes.lanes) if simulated else (None, None)
        truths = {
            fact["request"]: "ok" if fact["case"] == TORN else SEEN_AS[fact["case"]]
            for _, _, _, fact in reader.truth("picture")
        }
        skus = packs_of(site.skus) if simulated else site.skus
        folder = folder_of(arguments.run)
        if not folder.is_dir():
            raise ScenarioError(
                f"{folder}: the run kept no pictures -> run with --vision rendered, or serve --eyes"
            )

        async def again() -> dict[str, Any]:
            chain = chain_of(vision, inline=True, faces=faces, lanes=lanes)
            try:
                found = recorded(site, reader.entries(), truths, skus)
                asked = (look for look in found if look.request.task in vision.policy.tasks)
                return figures(await rejudge(asked, chain, lambda name: find(folder, name)))
            finally:
                await chain.close()

        told = asyncio.run(again())
    print(json.dumps(told)) if arguments.json else _show(told)
    return 0


def _settings(arguments: argparse.Namespace, recipe: Any) -> Vision:
    from dataclasses import replace  # noqa: PLC0415

    from orchestrator.vision import settings  # noqa: PLC0415
    from sim.scenario import ScenarioError  # noqa: PLC0415

    if arguments.readers:
        vision = settings.load(arguments.readers.parent, arguments.readers)
    else:
        vision = settings.of_text(recipe.readers or recipe.files.get(settings.FILE, ""))
    if not arguments.model:
        return vision
    tasks = vision.doing(arguments.model)
    if not tasks:
        mend = f"use one of {', '.join(vision.readers)}, or declare it: --readers FILE"
        raise ScenarioError(f"--model {arguments.model}: there is no such reader -> {mend}")
    alone = [vision.alone(task, arguments.model).policy.tasks for task in tasks]
    merged = {task: of for each in alone for task, of in each.items()}
    return replace(vision, policy=replace(vision.policy, tasks=merged))


def _show(told: dict[str, Any]) -> None:
    if not told:
        print("no look of the run has a picture that these readers can judge")
    for task, row in told.items():
        gone = f", {row['gone']} more are not there any more" if row["gone"] else ""
        print(f"{task}: {row['pictures']} pictures{gone}; {row['same']} judged as before; "
              f"{row['latency_ms_p50']} ms p50, {row['latency_ms_p95']} ms p95")  # fmt: skip
        if row["truth_known"]:
            print(f"  as the truth has it: {row['right_before']} before, {row['right_now']} now, "
                  f"of {row['truth_known']}; accepted and wrong: {row['false_ok_before']} before, "
                  f"{row['false_ok_now']} now")  # fmt: skip
        for change in row["changes"]:
            print(f"  {change['n']} x {change['step']}: {change['outcome']}; "
                  f"{change['would_follow']} instead of {change['followed']}")  # fmt: skip
        for line in row["examples"]:
            print(f"    {line}")
