"""What robots do where they stand: take a load, set it down, charge. The world judges by itself
whether that is possible, and never by what the core believes."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.core.messages import ActionEnded, Event, StartAction
from orchestrator.core.site import Site
from sim.clock import SECOND_NS, Clock
from sim.floor import Floor
from sim.robots import SimRobot


class Handling:
    """Actions of all robots. `slips(robot)`: a load can't be taken or set down this time; `say(robot,
    event)` reports over the network; `freed` is called when a load was taken from where it stood."""

    def __init__(
        self,
        site: Site,
        clock: Clock,
        floor: Floor,
        robots: list[SimRobot],
        slips: Callable[[str], bool],
        say: Callable[[int, Event], None],
        freed: Callable[[], None],
    ) -> None:
        self._clock, self._floor, self._robots = clock, floor, robots
        self._slips, self._say, self._freed = slips, say, freed
        self.dark: dict[int, None] = {}  # chargers without current, by bay
        self._bays = site.roadmap.bays
        self._stations = site.stations
        self._by_name = {robot.name: robot for robot in robots}
        self._unfinished: dict[int, StartAction] = {}  # robot -> what it was at when it died
        self._station_of = {
            bay: station.id
            for station in site.stations
            for bay in (station.bay, station.out_bay)
            if bay >= 0
        }

    def joined(self, robot: SimRobot) -> None:
        """A robot came later."""
        self._by_name[robot.name] = robot

    def start(self, command: StartAction) -> None:
        """The command has reached the robot."""
        robot = self._robots[command.robot]
        if command.kind == "stop_charging":
            robot.use_charge()
            robot.charging = False
        elif not robot.standing or robot.node != self._node(command):
            self._end(robot, command, good=False)
        elif command.kind == "charge":
            good = self._bays[command.bay].kind == "charger"
            current = good and command.bay not in self.dark
            robot.use_charge()
            robot.charging = current
            self._end(robot, command, good, outcome="ok" if current else "failed")
        else:
            robot.busy = True
            handling = robot.spec.handling_s
            seconds = handling.pick if command.kind == "pick" else handling.drop
            self._clock.after(round(seconds * SECOND_NS), self._handled, command)

    def obvious(self, command: StartAction) -> str:
        """The load that a pick or drop without a name can only mean; "": there is none."""
        if command.kind == "drop":
            loads = self._robots[command.robot].loads
            return loads[0] if loads else ""
        return next(iter(self._floor.at.get(self._where(command), ())), "")

    def revived(self, robot: SimRobot) -> None:
        """Finish what it was at."""
        command = self._unfinished.pop(robot.index, None)
        if command is not None:
            self._handled(command)

    def present(self, load: str, station: int) -> bool:
        """A robot stands at the station and holds the load."""
        holder, _, name = self._floor.place.get(load, "").partition(":")
        robot = self._by_name.get(name) if holder == "robot" else None
        if robot is None or robot.driving:
            return False
        return robot.node == self._bays[self._stations[station].bay].node

    def _handled(self, command: StartAction) -> None:
        robot = self._robots[command.robot]
        if robot.dead:
            self._unfinished[robot.index] = command
            return
        robot.busy = False
        if self._slips(robot.name):
            self._end(robot, command, good=True, outcome="failed")
        else:
            take = self._take if command.kind == "pick" else self._set
            self._end(robot, command, take(robot, command))
        robot.go_on()

    def goes_dark(self, bay: int) -> None:
        """Whoever charges here gets nothing any more."""
        for robot in self._robots:
            if robot.charging and robot.node == self._bays[bay].node:
                robot.use_charge()
                robot.charging = False

    def loads_at(self, station: int) -> list[str]:
        """Loads of robots that stand at the station."""
        loads = [load for robot in self._robots for load in robot.loads]
        return [load for load in loads if self.present(load, station)]

    def _end(self, robot: SimRobot, command: StartAction, good: bool, outcome: str = "") -> None:
        """`good`: it was possible at all, whatever its outcome."""
        if not good:
            fact = {"robot": robot.name, "action": command.kind, "load": command.load}
            self._floor.tell("impossible_action", fact)
        said = outcome or ("ok" if good else "failed")
        event = ActionEnded(robot=robot.index, action=command.action, outcome=said)
        self._say(robot.index, event)

    def _node(self, command: StartAction) -> int:
        return self._bays[command.bay].node if 0 <= command.bay < len(self._bays) else -1

    def _where(self, command: StartAction) -> str:
        bay = self._bays[command.bay]
        if bay.kind == "slot":
            return f"slot:{bay.id}"
        station = self._station_of.get(command.bay)
        return f"station:{station}" if station else "nowhere"

    def _take(self, robot: SimRobot, command: StartAction) -> bool:
        full = len(robot.loads) >= robot.spec.places
        if full or self._floor.place.get(command.load) != self._where(command):
            return False
        robot.loads.append(command.load)
        self._floor.move(command.load, f"robot:{robot.name}")
        self._freed()
        return True

    def _set(self, robot: SimRobot, command: StartAction) -> bool:
        place = self._where(command)
        if command.load not in robot.loads or place == "nowhere":
            return False
        if place.startswith("slot:") and self._floor.at.get(place):
            return False
        robot.loads.remove(command.load)
        self._floor.move(command.load, place)
        if command.load in self._floor.units and place.startswith("station:"):
            self._floor.leave(command.load)  # an empty tote goes back to its supplier
        return True
