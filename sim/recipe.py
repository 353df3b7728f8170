"""Everything a run is made from, as it stands in the run file: enough to make it again."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from orchestrator.core.messages import OrderReceived, RobotJoined
from orchestrator.core.world import CORE_VERSION
from orchestrator.host.records import BadRow
from orchestrator.layout import LayoutError, LoadedSite, load_files, read_files
from orchestrator.layout.grid import grid_files
from orchestrator.layout.site_file import read_faults
from sim import forked_demand, host_files, lorr_files, random_faults, recorded_demand
from sim.fork import check, forks_of, full
from sim.scenario import Options, Scenario, ScenarioError, scenario


@dataclass(frozen=True, slots=True)
class Recipe:
    """Texts and numbers only."""

    name: str
    files: dict[str, str]  # the site's
    seed: int = 0
    hours: float = 1.0
    fleets: dict[str, int] = field(default_factory=dict)
    faults: str = ""  # text of a faults.yaml
    orders: str = ""  # text of an order file
    orders_name: str = ""
    inbound: str = ""  # text of a file of notices
    inbound_name: str = ""
    stock: str = ""  # text of what the host believes is in stock
    stock_name: str = ""
    demand: str = ""  # recorded orders, a line each, instead of the site's demand
    demand_name: str = ""  # of the run they are of
    trust: str = "building"  # whose stock counts where they differ: building | host
    lorr: dict[str, Any] = field(default_factory=dict)  # starts, tasks (nodes), reveal
    vision: str = "statistical"  # see sim.vision
    readers: str = ""  # text of a vision.yaml, instead of the site's
    forks: list[dict[str, Any]] = field(default_factory=list)  # see sim.fork.Fork
    core_version: int = CORE_VERSION

    def meta(self) -> dict[str, Any]:
        """For the run file."""
        return {"recipe": asdict(self)}

    @staticmethod
    def of(meta: dict[str, Any]) -> Recipe:
        """From a run file's meta."""
        try:
            return Recipe(**meta["recipe"])
        except (KeyError, TypeError) as error:
            raise ScenarioError(f"the run holds no recipe ({error}) -> record it anew") from error

    def load(self) -> LoadedSite:
        """The site."""
        return load_files(self.files, self.name)

    def scenario(self) -> tuple[Scenario, list[BadRow]]:
        """The run's beginning, and the rows of the host's files that were left out."""
        loaded = self.load()
        faults = None
        if self.faults:
            faults, found = read_faults(self.faults, "faults.yaml")
            if found:
                raise LayoutError(found)
        orders, inbound, bad = host_files.read(self, loaded)
        options = Options(
            self.seed, self.hours, dict(self.fleets), faults, orders, inbound, self.vision,
            self.readers or self.files.get("vision.yaml", ""),
        )  # fmt: skip
        made = _competition(loaded, options, self.lorr) if self.lorr else scenario(loaded, options)
        if self.demand_name:
            recorded = recorded_demand.read(self.demand, self.demand_name, loaded.site)
            made = replace(made, orders=recorded)
        if self.stock_name:
            made, wrong = host_files.with_stock(made, self)
            bad = bad + wrong
        if self.forks:
            forks = forks_of(self.forks)
            check(loaded, forks, self.hours, faults, competition=bool(self.lorr))
            made = forked_demand.through(made, forks)
        return made, bad


def with_settings(recipe: Recipe, settings: dict[str, Any]) -> Recipe:
    """The recipe with keys of site.yaml set by dotted path; `lookahead` stands for `policy.lookahead`.
    What the site file does not know is refused when it is loaded."""
    if not settings:
        return recipe
    if "site.yaml" not in recipe.files:
        raise ScenarioError("--set: this run has no site.yaml -> name a site's folder")
    site = yaml.safe_load(recipe.files["site.yaml"])
    for key, value in settings.items():
        *path, last = full(key).split(".")
        node = site
        for part in path:
            if not isinstance(node.setdefault(part, {}), dict):
                raise ScenarioError(f"--set {key}: {part} holds no keys -> mend the name")
            node = node[part]
        node[last] = value
    text = yaml.safe_dump(site, sort_keys=False, allow_unicode=True)
    return replace(recipe, files=recipe.files | {"site.yaml": text})


def of_site(path: Path, **values: Any) -> Recipe:
    """A recipe for a site's folder."""
    return Recipe(name=path.resolve().name, files=read_files(path), **values)


def of_lorr(path: Path, **values: Any) -> Recipe:
    """A recipe for a competition instance: each task becomes a transport order."""
    instance = lorr_files.load(path)
    number = np.cumsum(instance.free.ravel()) - 1  # cell -> node
    files = grid_files(instance.free, instance.name, len(instance.starts))
    lorr = {
        "starts": [int(number[cell]) for cell in instance.starts],
        "tasks": [[int(number[cell]) for cell in task] for task in instance.tasks],
        "reveal": int(instance.reveal * len(instance.starts)),
    }
    return Recipe(name=instance.name, files=files, lorr=lorr, **values)


def _competition(loaded: LoadedSite, options: Options, lorr: dict[str, Any]) -> Scenario:
    robots = [
        RobotJoined(
            robot=index, name=f"robot-{index + 1:03d}", fleet=0, node=node, heading_deg=0,
            battery_permille=1000,
        )
        for index, node in enumerate(lorr["starts"])
    ]  # fmt: skip
    tasks = lorr["tasks"]
    limit = round(options.hours * 3600 * len(robots))  # nobody visits more than a node a second
    orders = [
        (0, OrderReceived(order_id=f"task-{i}", kind="transport", stops=tuple(stops)))
        for i, stops in zip(range(min(limit, 10 * len(tasks))), cycle(tasks), strict=False)
    ]
    return Scenario(loaded, options, robots, [], orders, reveal=lorr["reveal"])


def with_faults(recipe: Recipe, choice: str) -> Recipe:
    """`choice`: none, default (the site's faults.yaml), random (drawn from the seed) or a file."""
    if choice == "none":
        return recipe
    if choice == "random":
        return replace(recipe, faults=random_faults.text(recipe.seed))
    if choice == "default":
        text = recipe.files.get("faults.yaml", "")
        if not text:
            raise ScenarioError("the site has no faults.yaml -> add one, or name a file")
        return replace(recipe, faults=text)
    return replace(recipe, faults=faults_text(choice))


def faults_text(choice: str) -> str:
    """The text of a faults file that can be used."""
    try:
        text = Path(choice).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{choice}: can't be read: {error} -> name a faults.yaml") from error
    _, found = read_faults(text, choice)
    if found:
        raise LayoutError(found)
    return text
