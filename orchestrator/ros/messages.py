"""Messages of ROS 2 as plain dataclasses: fields as in `definitions`, values as `rclpy` takes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

NAN = math.nan


class Message:
    """Base of all of them; `TYPE` is its name in ROS 2."""

    TYPE: ClassVar[str]
    __slots__ = ()


@dataclass(slots=True)
class Time(Message):
    """Since 1970."""

    TYPE: ClassVar[str] = "builtin_interfaces/msg/Time"
    sec: int = 0
    nanosec: int = 0


@dataclass(slots=True)
class Duration(Message):
    """A span; of a marker 0 means for ever."""

    TYPE: ClassVar[str] = "builtin_interfaces/msg/Duration"
    sec: int = 0
    nanosec: int = 0


@dataclass(slots=True)
class Header(Message):
    """When, and in which frame."""

    TYPE: ClassVar[str] = "std_msgs/msg/Header"
    stamp: Time = field(default_factory=Time)
    frame_id: str = "map"


@dataclass(slots=True)
class String(Message):
    """JSON, here."""

    TYPE: ClassVar[str] = "std_msgs/msg/String"
    data: str = ""


@dataclass(slots=True)
class ColorRGBA(Message):
    """0 to 1 each."""

    TYPE: ClassVar[str] = "std_msgs/msg/ColorRGBA"
    r: float = 0.0
    g: float = 0.0
    b: float = 0.0
    a: float = 1.0


@dataclass(slots=True)
class Point(Message):
    """Metres."""

    TYPE: ClassVar[str] = "geometry_msgs/msg/Point"
    x: float = 0.0
    y: float = 0.0
    z: float = 0.0


@dataclass(slots=True)
class Vector3(Message):
    """Metres."""

    TYPE: ClassVar[str] = "geometry_msgs/msg/Vector3"
    x: float = 0.0
    y: float = 0.0
    z: float = 0.0


@dataclass(slots=True)
class Quaternion(Message):
    """A turn; see `translation.turned`."""

    TYPE: ClassVar[str] = "geometry_msgs/msg/Quaternion"
    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    w: float = 1.0


@dataclass(slots=True)
class Pose(Message):
    """Where, and turned how."""

    TYPE: ClassVar[str] = "geometry_msgs/msg/Pose"
    position: Point = field(default_factory=Point)
    orientation: Quaternion = field(default_factory=Quaternion)


@dataclass(slots=True)
class PoseStamped(Message):
    """A pose with its frame."""

    TYPE: ClassVar[str] = "geometry_msgs/msg/PoseStamped"
    header: Header = field(default_factory=Header)
    pose: Pose = field(default_factory=Pose)


@dataclass(slots=True)
class Transform(Message):
    """From a frame to its child."""

    TYPE: ClassVar[str] = "geometry_msgs/msg/Transform"
    translation: Vector3 = field(default_factory=Vector3)
    rotation: Quaternion = field(default_factory=Quaternion)


@dataclass(slots=True)
class TransformStamped(Message):
    """One edge of the tree of frames."""

    TYPE: ClassVar[str] = "geometry_msgs/msg/TransformStamped"
    header: Header = field(default_factory=Header)
    child_frame_id: str = ""
    transform: Transform = field(default_factory=Transform)


@dataclass(slots=True)
class TFMessage(Message):
    """Several of them."""

    TYPE: ClassVar[str] = "tf2_msgs/msg/TFMessage"
    transforms: list[TransformStamped] = field(default_factory=list)


@dataclass(slots=True)
class MapMetaData(Message):
    """Of a grid: `resolution` in metres a cell; the origin is the corner of its first cell."""

    TYPE: ClassVar[str] = "nav_msgs/msg/MapMetaData"
    map_load_time: Time = field(default_factory=Time)
    resolution: float = 0.0
    width: int = 0
    height: int = 0
    origin: Pose = field(default_factory=Pose)


@dataclass(slots=True)
class OccupancyGrid(Message):
    """Row by row from below: 0 free, 100 occupied, -1 unknown. `data`: a byte each, signed."""

    TYPE: ClassVar[str] = "nav_msgs/msg/OccupancyGrid"
    header: Header = field(default_factory=Header)
    info: MapMetaData = field(default_factory=MapMetaData)
    data: bytes = b""


@dataclass(slots=True)
class Path(Message):
    """Poses in sequence."""

    TYPE: ClassVar[str] = "nav_msgs/msg/Path"
    header: Header = field(default_factory=Header)
    poses: list[PoseStamped] = field(default_factory=list)


@dataclass(slots=True)
class CompressedImage(Message):
    """A marker's texture: never used here."""

    TYPE: ClassVar[str] = "sensor_msgs/msg/CompressedImage"
    header: Header = field(default_factory=lambda: Header(frame_id=""))
    format: str = ""
    data: bytes = b""


@dataclass(slots=True)
class BatteryState(Message):
    """`percentage` is a share, 0 to 1; what nobody measured is NaN."""

    TYPE: ClassVar[str] = "sensor_msgs/msg/BatteryState"
    header: Header = field(default_factory=Header)
    voltage: float = NAN
    temperature: float = NAN
    current: float = NAN
    charge: float = NAN
    capacity: float = NAN
    design_capacity: float = NAN
    percentage: float = NAN
    power_supply_status: int = 0
    power_supply_health: int = 0
    power_supply_technology: int = 0
    present: bool = True
    cell_voltage: Sequence[float] = ()
    cell_temperature: Sequence[float] = ()
    location: str = ""
    serial_number: str = ""


@dataclass(slots=True)
class UVCoordinate(Message):
    """Of a texture: never used here."""

    TYPE: ClassVar[str] = "visualization_msgs/msg/UVCoordinate"
    u: float = 0.0
    v: float = 0.0


@dataclass(slots=True)
class MeshFile(Message):
    """Never used here."""

    TYPE: ClassVar[str] = "visualization_msgs/msg/MeshFile"
    filename: str = ""
    data: bytes = b""


@dataclass(slots=True)
class Marker(Message):
    """Something to draw; `ns` and `id` name it. Kinds and actions: `markers`."""

    TYPE: ClassVar[str] = "visualization_msgs/msg/Marker"
    header: Header = field(default_factory=Header)
    ns: str = ""
    id: int = 0
    type: int = 0
    action: int = 0
    pose: Pose = field(default_factory=Pose)
    scale: Vector3 = field(default_factory=Vector3)
    color: ColorRGBA = field(default_factory=ColorRGBA)
    lifetime: Duration = field(default_factory=Duration)
    frame_locked: bool = False
    points: list[Point] = field(default_factory=list)
    colors: list[ColorRGBA] = field(default_factory=list)
    texture_resource: str = ""
    texture: CompressedImage = field(default_factory=CompressedImage)
    uv_coordinates: list[UVCoordinate] = field(default_factory=list)
    text: str = ""
    mesh_resource: str = ""
    mesh_file: MeshFile = field(default_factory=MeshFile)
    mesh_use_embedded_materials: bool = False


@dataclass(slots=True)
class MarkerArray(Message):
    """Several of them."""

    TYPE: ClassVar[str] = "visualization_msgs/msg/MarkerArray"
    markers: list[Marker] = field(default_factory=list)


@dataclass(slots=True)
class KeyValue(Message):
    """A value to show."""

    TYPE: ClassVar[str] = "diagnostic_msgs/msg/KeyValue"
    key: str = ""
    value: str = ""


@dataclass(slots=True)
class DiagnosticStatus(Message):
    """How something is; `level` is one byte: OK 0, WARN 1, ERROR 2, STALE 3."""

    TYPE: ClassVar[str] = "diagnostic_msgs/msg/DiagnosticStatus"
    level: bytes = b"\x00"
    name: str = ""
    message: str = ""
    hardware_id: str = ""
    values: list[KeyValue] = field(default_factory=list)


@dataclass(slots=True)
class DiagnosticArray(Message):
    """Several of them."""

    TYPE: ClassVar[str] = "diagnostic_msgs/msg/DiagnosticArray"
    header: Header = field(default_factory=lambda: Header(frame_id=""))
    status: list[DiagnosticStatus] = field(default_factory=list)


@dataclass(slots=True)
class Clock(Message):
    """What time it is, for nodes with `use_sim_time`."""

    TYPE: ClassVar[str] = "rosgraph_msgs/msg/Clock"
    clock: Time = field(default_factory=Time)


KINDS: dict[str, type[Message]] = {kind.TYPE: kind for kind in Message.__subclasses__()}


def filled(kind: Any, message: Any) -> Any:
    """A message of `rclpy` (or of any library whose classes have the same fields) of class `kind`."""
    made = kind()
    for each in fields(message):
        value, known = getattr(message, each.name), getattr(made, each.name)
        setattr(made, each.name, _value(made, each.name, value, known))
    return made


def _value(made: Any, name: str, value: Any, known: Any) -> Any:
    if isinstance(value, Message):
        return filled(type(known), value)
    if isinstance(value, list) and value and isinstance(value[0], Message):
        kind = _element(made, name)
        return [filled(kind, item) for item in value]
    if isinstance(value, bytes) and not isinstance(known, bytes):
        code: Any = getattr(known, "typecode", "B")
        return memoryview(value).cast(code).tolist()
    return value


def _element(made: Any, name: str) -> Any:
    """The class of a list's elements, by the type that the message declares."""
    from importlib import import_module  # noqa: PLC0415

    declared = made.get_fields_and_field_types()[name]  # "sequence<geometry_msgs/Point>"
    package, _, kind = declared.removeprefix("sequence<").rstrip(">").partition("/")
    return getattr(import_module(f"{package}.msg"), kind)
