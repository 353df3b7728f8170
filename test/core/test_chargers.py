"""Stories of chargers without current, and of chargers that are occupied."""

from __future__ import annotations

from workshop import Workshop

from orchestrator.core import missions
from orchestrator.core.messages import (
    ActionEnded,
    BatteryCrossed,
    ChargerFaulted,
    ChargerRecovered,
    RepairCharger,
    RobotFaulted,
    StartAction,
)
from orchestrator.core.robots import Leg

KINDS = ("slot", "park", "pick", "charge", "park", "dock", "slot", "charge", "chute", "slot")


class Garage(Workshop):
    """Chargers that give current or don't."""

    def __init__(self, **policy: int) -> None:
        self.dead: set[int] = set()
        super().__init__(kinds=KINDS, policy={"invariants_every": 1} | policy)

    def answer(self, command: object) -> list[object]:
        if isinstance(command, StartAction) and command.bay in self.dead:
            return [ActionEnded(robot=command.robot, action=command.action, outcome="failed")]
        return super().answer(command)

    def chargers(self) -> list[int]:
        bays = self.loaded.site.roadmap.bays
        return [index for index, bay in enumerate(bays) if bay.kind == "charger"]

    def low(self, robot: int, permille: int = 200) -> None:
        self.say(BatteryCrossed(robot=robot, battery_permille=permille))

    def tried(self) -> list[int]:
        rows = [c for c in self.seen if isinstance(c, StartAction) and c.kind == "charge"]
        return [c.bay for c in rows]


def test_a_robot_that_gets_no_current_is_sent_to_another_charger() -> None:
    story = Garage()
    story.low(0)
    story.ticks(30)
    (first,) = story.tried()
    story = Garage()
    story.dead = {first}
    story.low(0)
    story.ticks(120)
    assert story.tried()[0] == first and story.tried()[1] != first
    assert len(story.tried()) == 2 and story.world.robots[0].charging
    (problem,) = story.world.problems.values()
    assert problem.kind == "charger_dead"


def test_a_closed_charger_is_tried_again_later_and_opens_when_it_gives_current() -> None:
    story = Garage(charger_retry_s=60)
    story.dead = set(story.chargers())
    story.low(0)
    story.ticks(50)
    count = len(story.tried())
    assert count == len(story.dead), "each once, then it waits"
    story.dead.clear()
    story.ticks(100)
    assert len(story.tried()) == count + 1 and story.world.robots[0].charging
    assert story.world.ended["charger_dead", "works again"] == 1


def test_a_closed_charger_that_nobody_needs_is_open_again_after_its_time() -> None:
    # given a charger that says it is broken, and no robot that wants to charge
    story = Garage(charger_retry_s=60)
    bay = story.chargers()[0]
    story.say(ChargerFaulted(bay=bay, reason="no current"))
    story.ticks(50)
    assert [kind for kind, _ in story.world.problems] == ["charger_dead"]
    # when its time is over
    story.ticks(75)  # and nobody has tried it for as long again
    # then the exception has an end, and a robot may try
    assert not story.world.problems
    assert story.world.ended["charger_dead", "open again"] == 1


def test_a_charger_that_never_gives_current_is_mended() -> None:
    """Given dead chargers, when robots have tried them so often as the policy allows, then they are to
    be mended and nobody tries any more until they are."""
    story = Garage(charger_retry_s=20, charger_tries=2)
    story.dead = set(story.chargers())
    story.low(0)
    story.ticks(300)
    asked = [c.bay for c in story.seen if isinstance(c, RepairCharger)]
    assert sorted(asked) == sorted(story.dead)
    count = len(story.tried())
    assert count == 3 * len(story.dead)
    story.ticks(100)
    assert len(story.tried()) == count
    mended = asked[0]
    story.dead.remove(mended)
    story.say(ChargerRecovered(bay=mended))
    story.ticks(100)
    assert story.world.robots[0].charging and story.tried()[-1] == mended
    assert story.funnel() == {"charger_dead": "maintenance"}


def test_mending_that_nobody_answers_is_asked_for_again() -> None:
    story = Garage(charger_tries=1, repair_answer_s=60)
    bay = story.chargers()[0]
    for _ in range(2):
        story.say(ChargerFaulted(bay=bay, reason="test"))
    story.ticks(50)
    assert len([c for c in story.seen if isinstance(c, RepairCharger)]) == 1
    story.ticks(30)
    assert len([c for c in story.seen if isinstance(c, RepairCharger)]) == 2


def test_a_charger_that_goes_dark_while_a_robot_charges_sends_it_to_another() -> None:
    story = Garage()
    story.low(0)
    story.ticks(60)
    (first,) = story.tried()
    story.dead = {first}
    story.say(ChargerFaulted(bay=first, reason="no current"))
    assert not story.world.robots[0].charging
    story.ticks(120)
    assert story.world.robots[0].charging and story.tried()[-1] != first


def test_a_charger_that_does_not_exist_is_an_alarm_and_no_more() -> None:
    story = Garage()
    slot = next(i for i, bay in enumerate(story.loaded.site.roadmap.bays) if bay.kind == "slot")
    for bay in (slot, -1, 999):
        story.say(ChargerFaulted(bay=bay), ChargerRecovered(bay=bay))
    assert not story.world.problems and not story.world.closed


def test_who_finds_a_dead_robot_in_its_charger_takes_another_one() -> None:
    """Given a robot on its way to a charger in which another one dies, when it would have to wait, then
    it drops that errand, charges elsewhere, and the exception ends."""
    story = Garage()
    dead, comer = story.world.robots[0], story.world.robots[1]
    story.low(0)
    story.ticks(60)
    (bay,) = story.tried()
    story.say(RobotFaulted(robot=dead.index, reason="test"))
    node = story.loaded.site.roadmap.bays[bay].node
    comer.legs.append(Leg(node, bay, "charge"))
    missions.advance(story.world, comer)
    story.ticks(1)
    assert story.world.problems[("charger_occupied", comer.name)]
    story.low(comer.index)
    story.ticks(200)
    assert comer.charging and story.tried()[-1] != bay
    assert story.funnel()["charger_occupied"] == "another charger"


def test_who_waits_for_a_charger_waits_from_when_it_must() -> None:
    """Given a robot that has stood for long, when it is to charge where another one charges, then it
    waits until that one has made way, and charges there."""
    story = Garage()
    story.ticks(150)
    story.low(0)
    story.ticks(1)
    (bay,), comer = story.tried(), story.world.robots[1]
    comer.legs.append(Leg(story.loaded.site.roadmap.bays[bay].node, bay, "charge"))
    missions.advance(story.world, comer)
    assert comer.waiting_bay == bay
    story.ticks(10)
    assert comer.charging and story.tried()[-1] == bay
    assert ("charger_occupied", comer.name) not in story.world.problems
