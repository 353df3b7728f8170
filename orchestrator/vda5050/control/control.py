"""All vehicles of a building: the core's commands in, the core's events out; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from orchestrator.core.messages import (
    BackOut,
    Command,
    Event,
    ExtendBase,
    RecoverRobot,
    RobotJoined,
    StartAction,
    StopRobot,
    TrimBase,
)
from orchestrator.core.request_messages import PauseRobot, ResumeRobot
from orchestrator.core.site import Site
from orchestrator.vda5050 import topics
from orchestrator.vda5050.codec import codec_of
from orchestrator.vda5050.control import (
    joining,
    noticing,
    pausing,
    reading,
    recovering,
    sending,
)
from orchestrator.vda5050.control.absent import Absent, Known
from orchestrator.vda5050.control.alarms import Alarms
from orchestrator.vda5050.control.broken import Broken
from orchestrator.vda5050.control.floor import DEVIATION_M, Floor
from orchestrator.vda5050.control.joining import Declared, Rule
from orchestrator.vda5050.control.lag import Lags
from orchestrator.vda5050.control.sending import Desk, Limits
from orchestrator.vda5050.control.strangers import Elsewhere, Strangers, floods
from orchestrator.vda5050.control.vehicle import Vehicle
from orchestrator.vda5050.errors import RemoteError
from orchestrator.vda5050.model import Connection, Factsheet, Position, State, Visualization

VEHICLES_MAX = 50_000
Publish = Callable[[str, bytes, int, bool], object]


class Control:
    """Master control by VDA 5050. Time is UTC in ns, and never goes backwards."""

    def __init__(
        self,
        site: Site,
        rules: list[Rule],
        declared: list[Declared],
        publish: Publish,
        post: Callable[[Event], None],
        *,
        run: str,
        session: str = "0",
        planned: Callable[[int], Iterable[int]] = lambda _: (),
        held_up: Callable[[int], bool] = lambda _: False,
        may_drive: Callable[[int, Sequence[int]], str] = lambda _robot, _edges: "",
        alarm: Callable[[str, str], None] = lambda _subject, _text: None,
        seen: Callable[[int, Position | None], None] = lambda _robot, _position: None,
        elsewhere: Elsewhere = lambda _name, _fleet, _position, _stays: None,
        limits: Limits | None = None,
        map_id: str = "",
        broke: Callable[[str, Exception], None] | None = None,
    ) -> None:
        """`seen` hears where robots are; nothing: one's word is worth nothing, or no more.
        `elsewhere` hears of bodies that are not where a robot of the building is: name, fleet (-1: a
        stranger's), place (nothing: it has gone), and whether it is to stay. `broke` hears of errors of
        ours while a vehicle was seen to; without it they are raised."""
        self._site, self._rules, self._declared = site, rules, declared
        self._seen, self._elsewhere = seen, elsewhere
        self._off: dict[str, None] = {}  # joined, and not on the way that they hold
        self.desk = Desk(
            floor=Floor(site.roadmap, map_id),
            run=run,
            session=session,
            publish=publish,
            post=post,
            alarm=Alarms(alarm, lambda: self.desk.now_ns),
            planned=planned,
            held_up=held_up,
            may_drive=may_drive,
            limits=limits or Limits(),
            lags=Lags(
                [row.id for row in declared],
                [(row.speed_mps, row.acceleration_mps2) for row in declared],
                post,
            ),
            speeds_mmps=tuple(fleet.speed_mmps for fleet in site.fleets),
        )
        self.vehicles: dict[tuple[str, str], Vehicle] = {}
        self._by_serial: dict[str, Vehicle] = {}
        self.by_robot: dict[int, Vehicle] = {}
        self._broken = Broken(self.desk, self.vehicles, broke)
        self._others = Strangers(self.desk, elsewhere)
        self.strangers = self._others.why
        self._absent = Absent(self.desk)
        self._asking: Vehicle | None = None  # the core is asked whether it may join
        self._at_the_door: dict[str, Vehicle] = {}  # these ask next
        self._next_robot = 0

    def filters(self) -> list[tuple[str, int]]:
        """What to subscribe to: (filter, quality of service)."""
        found: dict[tuple[str, int], None] = {}
        for rule in self._rules:
            root = f"{rule.interface}/v{rule.protocol.split('.', maxsplit=1)[0]}/+/+/"
            for name in topics.FROM_VEHICLE:
                found[root + name, 1 if name == "connection" else 0] = None
        return list(found)

    def restore(self, robots: dict[str, Known]) -> None:
        """The core was folded from a journal: it knows these. Before any message."""
        self._absent.restore(robots)
        self._next_robot = len(robots)

    # --- from the core ---------------------------------------------------------------------------

    def command(self, now_ns: int, command: Command) -> bool:
        """Carry a command out, or begin to; False: it is not for vehicles."""
        self.desk.now_ns = now_ns
        match command:
            case (
                ExtendBase() | StartAction() | RecoverRobot() | StopRobot() | BackOut() | TrimBase()
            ):
                v = self.by_robot.get(command.robot)
            case PauseRobot() | ResumeRobot():
                self.pause(now_ns, command.robot, on=isinstance(command, PauseRobot))
                return True
            case _:
                return False
        if v is None:
            self._absent.command(command)
            return True
        desk = self.desk
        match command:
            case ExtendBase():
                if not v.waiting:
                    v.released_ns = now_ns
                v.waiting.extend(command.edges)
                sending.push(desk, v)
            case StartAction():
                sending.start(desk, v, command)
            case RecoverRobot():
                recovering.asked(desk, v, command)
            case StopRobot():
                recovering.stop(desk, v)
            case TrimBase():
                recovering.trim(desk, v, command.edges)
            case BackOut():
                recovering.back_out(desk, v)
        return True

    def pause(self, now_ns: int, robot: int, *, on: bool = True) -> None:
        """A vehicle stands still, or goes on."""
        self.desk.now_ns = now_ns
        v = self.by_robot.get(robot)
        if v is not None:
            pausing.pause(self.desk, v, on=on)
        else:
            self._absent.pause(robot, on=on)

    # --- from vehicles ---------------------------------------------------------------------------

    def message(self, now_ns: int, topic: str, payload: bytes, *, retained: bool = False) -> None:
        """Something came in. Whatever it is, nobody else is affected by it."""
        self.desk.now_ns = now_ns
        parts = topics.parse(topic)
        if parts is not None and parts[4] in topics.FROM_VEHICLE:
            who = parts[2], parts[3]
            self._broken.run(who, self._message, parts, payload, retained=retained)

    def _message(
        self, parts: tuple[str, str, str, str, str], payload: bytes, *, retained: bool
    ) -> None:
        interface, major, manufacturer, serial, name = parts
        v = self.vehicles.get((manufacturer, serial)) or self._met(interface, major, parts)
        if v is None:
            self._others.heard(f"{manufacturer}/{serial}", major, name, payload)
            return
        if floods(self.desk, v) or self._out(v):
            return
        if name == "visualization":
            place = noticing.pose(self.desk, v, payload)
            if place is not None and recovering.believed(v):
                self._seen(v.robot, place)
            return
        try:
            message = v.codec.decode(name, payload)
        except RemoteError as error:
            self._unreadable(v, name, error)
            return
        if isinstance(message, tuple | Visualization):
            return
        if (message.header.manufacturer, message.header.serial) != (manufacturer, serial):
            self._unreadable(v, name, RemoteError("header", "is somebody else's"))
            return
        match message:
            case State():
                self._state(v, message, retained=retained)
            case Connection():
                self._connection(v, message)
            case Factsheet():
                self._factsheet(v, message)

    def _out(self, v: Vehicle) -> bool:
        """It is not heard just now, and where it was seen before is worth nothing."""
        out = self._broken.out(v)
        if out and v.robot >= 0:
            self._seen(v.robot, None)
        return out

    def _met(
        self, interface: str, major: str, parts: tuple[str, str, str, str, str]
    ) -> Vehicle | None:
        manufacturer, serial = parts[2], parts[3]
        rule = joining.rule_for(self._rules, manufacturer, serial)
        reason = "no entry of the site's `vehicles` matches it"
        if rule is not None:
            if (rule.interface, rule.protocol.split(".", maxsplit=1)[0]) == (interface, major):
                same = self._by_serial.get(serial)
                if len(self.vehicles) >= VEHICLES_MAX:
                    reason = f"{VEHICLES_MAX} vehicles are known already"
                elif same is None:
                    codec = codec_of(rule.protocol, rule.quirks)
                    v = Vehicle(manufacturer, serial, codec, rule.fleet, interface)
                    self.vehicles[manufacturer, serial] = self._by_serial[serial] = v
                    return v
                else:
                    reason = f"{same.manufacturer}'s vehicle has the same serial number"
            else:
                reason = f"speaks on {interface}/v{major}, the site expects {rule.protocol}"
        self._others.met(f"{manufacturer}/{serial}", reason)
        return None

    def _unreadable(self, v: Vehicle, name: str, error: RemoteError) -> None:
        v.counts.undecodable += 1
        if v.counts.undecodable in (1, 10, 100) or v.counts.undecodable % 1000 == 0:
            self.desk.alarm(v.name, f"{name} can't be read ({v.counts.undecodable}): {error}")
        recovering.odd(self.desk, v, f"can't be read: {error}")

    def _old(self, v: Vehicle) -> None:
        """A state that tells nothing new. A few are the network's, many the vehicle's."""
        if v.robot < 0:
            return
        count = v.counts.repeated + v.counts.reordered
        if count in (100, 1000) or count % 10_000 == 0:
            self.desk.alarm(v.name, f"{count} states were old or repeated")
        recovering.odd(self.desk, v, "is an old state")

    def _state(self, v: Vehicle, state: State, *, retained: bool) -> None:
        if retained and v.robot < 0:
            return
        if not reading.fresh(v, state):
            self._old(v)
            return
        recovering.sensible(self.desk, v)
        if v.robot >= 0:
            reading.read(self.desk, v, state)
            if not recovering.believed(v):
                self._seen(v.robot, None)
            elif state.position is not None and state.position.localized:
                self._seen(v.robot, state.position)
            self._whereabouts(v, state)
        else:
            v.heard_ns, v.state = self.desk.now_ns, state
            place = state.position
            known = place is not None and place.localized
            stays = bool(v.reason) or v.turned_away > 1
            self._elsewhere(v.name, v.fleet, place if known else None, stays)
            noticing.connection(self.desk, v, "STATE")
            self._join(v, state)

    def _whereabouts(self, v: Vehicle, state: State) -> None:
        """Something is wrong with it, and it says that it is not on the way that it holds."""
        place = state.position
        if v.status == "faulted" and place is not None and place.localized:
            off_m = self.desk.floor.off_m(place.x, place.y, v.at, v.ahead())
            if off_m > DEVIATION_M:
                self._off[v.name] = None
                self._elsewhere(v.name, v.fleet, place, True)
                return
        if v.name in self._off:
            del self._off[v.name]
            self._elsewhere(v.name, v.fleet, None, False)

    def _join(self, v: Vehicle, state: State) -> None:
        desk = self.desk
        known = self._absent.heard(v.name)
        if known is not None:
            self._again(v, known, state)
            return
        node, reason = joining.not_yet(desk, v, state, self._site)
        if node >= 0 and not reason:
            reason = v.against
        if node < 0 or reason:
            if reason and reason != v.reason:
                desk.alarm(v.name, f"can't join: {reason}")
            v.reason = reason or v.reason
            return
        if not v.idle():
            sending.instant(desk, v, "cancelOrder")
            return
        if desk.now_ns < v.ask_ns:
            return
        if self._asking is None:  # one at a time: the core numbers them in sequence
            self._asking = v
            self._at_the_door.pop(v.name, None)
            desk.post(joining.asking(v, state, self._next_robot, node))
        elif self._asking is not v:
            self._at_the_door[v.name] = v

    def answered(self, event: RobotJoined, *, taken: bool) -> None:
        """The core has taken the vehicle in, or has not; then it asks again with its next state."""
        v, self._asking = self._asking, None
        if taken and v is not None and v.name == event.name:
            self._taken_in(v, event)
        elif v is not None:
            joining.turned_away(self.desk, v)
        for other in list(self._at_the_door.values()):
            if self._asking is None and other is not v and other.state is not None:
                self._join(other, other.state)

    def _taken_in(self, v: Vehicle, event: RobotJoined) -> None:
        v.robot, v.at, v.reason = event.robot, event.node, ""
        v.mode = v.state.mode if v.state is not None else v.mode
        v.become("joined")
        v.percent = event.battery_permille // reading.STEP_PERMILLE
        v.silent_ns = self.desk.now_ns + int(self.desk.limits.idle_silence_s * sending.SECOND_NS)
        self.by_robot[event.robot] = v
        self._elsewhere(v.name, v.fleet, None, False)
        self._next_robot = event.robot + 1

    def _again(self, v: Vehicle, known: Known, state: State) -> None:
        """It is in the books since before a restart: what it does is compared with them."""
        v.robot, v.fleet, v.at, v.todo = known.robot, known.fleet, known.at, known.action
        v.waiting.extend(known.base)
        self.by_robot[v.robot] = v
        self._elsewhere(v.name, v.fleet, None, False)
        v.become("joined")
        if known.faulted:
            v.become("faulted")
            v.kind = known.faulted
        else:
            v.become("clearing")
            wait_s = 0.0 if known.backing else self.desk.limits.recover_s
            v.cancel_ns = self.desk.now_ns + int(wait_s * sending.SECOND_NS)
            v.backing = known.backing
        pausing.known_again(self.desk, v, state, paused=known.paused)
        v.state = state
        if known.trim:
            recovering.trim(self.desk, v, known.trim)
        reading.read(self.desk, v, state)
        if known.recover is not None and v.status == "faulted":
            recovering.asked(self.desk, v, known.recover)

    def _connection(self, v: Vehicle, message: Connection) -> None:
        noticing.connection(self.desk, v, message.connection)
        if v.robot < 0 and v.connection == "OFFLINE":
            self._elsewhere(v.name, v.fleet, None, False)

    def _factsheet(self, v: Vehicle, sheet: Factsheet) -> None:
        v.factsheet = sheet
        found = joining.contradictions(sheet, self._declared[v.fleet], v.codec.quirks)
        v.against = "; ".join(found)
        if found and v.robot >= 0:
            recovering.fault(self.desk, v, "robot_dead", v.against)

    # --- time ------------------------------------------------------------------------------------

    def tick(self, now_ns: int) -> None:
        """About once a second: what was not echoed, who is silent, attempts that had their time."""
        desk = self.desk
        desk.now_ns = now_ns
        desk.lags.tick(now_ns)
        self._absent.tick()
        for who, v in self.vehicles.items():
            self._broken.run(who, self._look_at, v)

    def _look_at(self, v: Vehicle) -> None:
        desk, now_ns = self.desk, self.desk.now_ns
        late = sending.due(desk, v)
        if v.robot < 0:
            fresh_ns = int(desk.limits.idle_silence_s * sending.SECOND_NS)
            heard = v.state is not None and now_ns - v.heard_ns < fresh_ns
            if v.state is not None and heard and self._asking is None:
                self._join(v, v.state)
            return
        if late:
            recovering.fault(desk, v, "robot_silent", late)
        elif v.status != "faulted" and now_ns >= v.silent_ns and not v.sleeps():
            silent_s = (now_ns - v.heard_ns) // sending.SECOND_NS
            recovering.fault(desk, v, "robot_silent", f"silent for {silent_s} s")
        recovering.watch(desk, v)
