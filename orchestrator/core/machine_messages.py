"""What stations, cameras and chargers are asked for, and what they report. See `core.messages`."""

from __future__ import annotations

from orchestrator.core.message import Message

# --- events -------------------------------------------------------------------------------------


class WorkEnded(Message, frozen=True):
    """A station ended a `StartWork`; `quantity` is what it counted (units picked). Each work ends once:
    a machine that is asked again for a number it knows answers what it did, and does it not twice."""

    work: int
    outcome: str = "ok"
    quantity: int = 0
    lost: int = 0  # units that fell or were damaged, and are neither in the tote nor in the box


class ImageRead(Message, frozen=True):
    """The answer to a `RequestInference`: ok | unreadable | misread (of something else) | doubtful |
    mismatch (another count or item) | damaged | blocked. `value` is what was read, `model` by
    whom, `image` the picture's SHA-256 where it was kept. An ok without the value that was expected is
    none."""

    request: int
    outcome: str
    value: str = ""
    confidence_permille: int = 1000
    model: str = ""
    latency_us: int = 0
    image: str = ""


class StationFaulted(Message, frozen=True):
    """A machine of the station broke; the work with number `aborted` had no effect."""

    station: int
    capability: str
    reason: str = ""
    aborted: int = 0


class StationRepairFailed(Message, frozen=True):
    """A `RecoverStation` had no success."""

    station: int
    capability: str
    attempt: int


class StationRecovered(Message, frozen=True):
    """The machine works again."""

    station: int
    capability: str


class ChargerFaulted(Message, frozen=True):
    """The charger in this bay gives no current any more."""

    bay: int
    reason: str = ""


class ChargerRecovered(Message, frozen=True):
    """The charger works again."""

    bay: int


# --- commands -----------------------------------------------------------------------------------


class RequestInference(Message, frozen=True, kw_only=True):
    """Let the camera at `station` look at `subject` (a tote, a parcel or an order box), or, without a
    station, a floor camera at the lane `subject`, which should be "clear". `view` counts earlier
    looks at the same; `look` says what is to be different: another angle, reader or model."""

    request: int
    task: str  # read_label | identify_item | verify_pick | inspect_damage | check_lane
    station: int = -1
    subject: str
    expected: str
    capability: str = ""  # of the station's camera: identify | verify | scan ...; floor: of a lane
    view: int = 0
    look: str = ""  # angle | reader | model


class StartWork(Message, frozen=True):
    """A station's machine begins `capability` on `order_id` (and `load`, if one is there)."""

    work: int
    station: int
    capability: str
    order_id: str
    load: str = ""
    sku: str = ""
    quantity: int = 0
    into: str = ""  # unpack: the tote that the units go into
    content: tuple[tuple[str, int], ...] = ()  # checkweigh: what the parcel should hold


class RecoverStation(Message, frozen=True):
    """Restart a broken machine from afar; `attempt` counts from 1. `maintenance` as for robots."""

    station: int
    capability: str
    attempt: int
    maintenance: bool = False


class RepairCharger(Message, frozen=True):
    """No robot could charge here several times: mend it. A person may enter."""

    bay: int
