"""The messages of ROS 2 that are used here, field by field, as their packages define them (Jazzy)."""

from __future__ import annotations

DEFINITIONS = {
    "builtin_interfaces/msg/Time": """\
int32 sec
uint32 nanosec
""",
    "builtin_interfaces/msg/Duration": """\
int32 sec
uint32 nanosec
""",
    "std_msgs/msg/Header": """\
builtin_interfaces/Time stamp
string frame_id
""",
    "std_msgs/msg/String": """\
string data
""",
    "std_msgs/msg/ColorRGBA": """\
float32 r
float32 g
float32 b
float32 a
""",
    "geometry_msgs/msg/Point": """\
float64 x
float64 y
float64 z
""",
    "geometry_msgs/msg/Quaternion": """\
float64 x
float64 y
float64 z
float64 w
""",
    "geometry_msgs/msg/Pose": """\
geometry_msgs/Point position
geometry_msgs/Quaternion orientation
""",
    "geometry_msgs/msg/PoseStamped": """\
std_msgs/Header header
geometry_msgs/Pose pose
""",
    "geometry_msgs/msg/Vector3": """\
float64 x
float64 y
float64 z
""",
    "geometry_msgs/msg/Transform": """\
geometry_msgs/Vector3 translation
geometry_msgs/Quaternion rotation
""",
    "geometry_msgs/msg/TransformStamped": """\
std_msgs/Header header
string child_frame_id
geometry_msgs/Transform transform
""",
    "nav_msgs/msg/MapMetaData": """\
builtin_interfaces/Time map_load_time
float32 resolution
uint32 width
uint32 height
geometry_msgs/Pose origin
""",
    "nav_msgs/msg/OccupancyGrid": """\
std_msgs/Header header
nav_msgs/MapMetaData info
int8[] data
""",
    "nav_msgs/msg/Path": """\
std_msgs/Header header
geometry_msgs/PoseStamped[] poses
""",
    "sensor_msgs/msg/CompressedImage": """\
std_msgs/Header header
string format
uint8[] data
""",
    "sensor_msgs/msg/BatteryState": """\
uint8 POWER_SUPPLY_STATUS_UNKNOWN=0
uint8 POWER_SUPPLY_STATUS_CHARGING=1
uint8 POWER_SUPPLY_STATUS_DISCHARGING=2
uint8 POWER_SUPPLY_STATUS_NOT_CHARGING=3
uint8 POWER_SUPPLY_STATUS_FULL=4
uint8 POWER_SUPPLY_HEALTH_UNKNOWN=0
uint8 POWER_SUPPLY_HEALTH_GOOD=1
uint8 POWER_SUPPLY_HEALTH_OVERHEAT=2
uint8 POWER_SUPPLY_HEALTH_DEAD=3
uint8 POWER_SUPPLY_HEALTH_OVERVOLTAGE=4
uint8 POWER_SUPPLY_HEALTH_UNSPEC_FAILURE=5
uint8 POWER_SUPPLY_HEALTH_COLD=6
uint8 POWER_SUPPLY_HEALTH_WATCHDOG_TIMER_EXPIRE=7
uint8 POWER_SUPPLY_HEALTH_SAFETY_TIMER_EXPIRE=8
uint8 POWER_SUPPLY_TECHNOLOGY_UNKNOWN=0
uint8 POWER_SUPPLY_TECHNOLOGY_NIMH=1
uint8 POWER_SUPPLY_TECHNOLOGY_LION=2
uint8 POWER_SUPPLY_TECHNOLOGY_LIPO=3
uint8 POWER_SUPPLY_TECHNOLOGY_LIFE=4
uint8 POWER_SUPPLY_TECHNOLOGY_NICD=5
uint8 POWER_SUPPLY_TECHNOLOGY_LIMN=6
uint8 POWER_SUPPLY_TECHNOLOGY_TERNARY=7
uint8 POWER_SUPPLY_TECHNOLOGY_VRLA=8
std_msgs/Header header
float32 voltage
float32 temperature
float32 current
float32 charge
float32 capacity
float32 design_capacity
float32 percentage
uint8 power_supply_status
uint8 power_supply_health
uint8 power_supply_technology
bool present
float32[] cell_voltage
float32[] cell_temperature
string location
string serial_number
""",
    "visualization_msgs/msg/UVCoordinate": """\
float32 u
float32 v
""",
    "visualization_msgs/msg/MeshFile": """\
string filename
uint8[] data
""",
    "visualization_msgs/msg/Marker": """\
int32 ARROW=0
int32 CUBE=1
int32 SPHERE=2
int32 CYLINDER=3
int32 LINE_STRIP=4
int32 LINE_LIST=5
int32 CUBE_LIST=6
int32 SPHERE_LIST=7
int32 POINTS=8
int32 TEXT_VIEW_FACING=9
int32 MESH_RESOURCE=10
int32 TRIANGLE_LIST=11
int32 ARROW_STRIP=12
int32 ADD=0
int32 MODIFY=0
int32 DELETE=2
int32 DELETEALL=3
std_msgs/Header header
string ns
int32 id
int32 type
int32 action
geometry_msgs/Pose pose
geometry_msgs/Vector3 scale
std_msgs/ColorRGBA color
builtin_interfaces/Duration lifetime
bool frame_locked
geometry_msgs/Point[] points
std_msgs/ColorRGBA[] colors
string texture_resource
sensor_msgs/CompressedImage texture
visualization_msgs/UVCoordinate[] uv_coordinates
string text
string mesh_resource
visualization_msgs/MeshFile mesh_file
bool mesh_use_embedded_materials
""",
    "visualization_msgs/msg/MarkerArray": """\
visualization_msgs/Marker[] markers
""",
    "tf2_msgs/msg/TFMessage": """\
geometry_msgs/TransformStamped[] transforms
""",
    "diagnostic_msgs/msg/KeyValue": """\
string key
string value
""",
    "diagnostic_msgs/msg/DiagnosticStatus": """\
byte OK=0
byte WARN=1
byte ERROR=2
byte STALE=3
byte level
string name
string message
string hardware_id
diagnostic_msgs/KeyValue[] values
""",
    "diagnostic_msgs/msg/DiagnosticArray": """\
std_msgs/Header header
diagnostic_msgs/DiagnosticStatus[] status
""",
    "rosgraph_msgs/msg/Clock": """\
builtin_interfaces/Time clock
""",
}

RULE = "=" * 80


def base(text: str) -> str:
    """A field's type without its brackets."""
    return text.partition("[")[0]


def full(name: str) -> str:
    """ "std_msgs/Header" as "std_msgs/msg/Header"."""
    package, _, kind = name.rpartition("/")
    return f"{package.removesuffix('/msg')}/msg/{kind}"


def fields(name: str) -> list[tuple[str, str]]:
    """A message's fields: (type, name), constants left out."""
    rows = [line.split(" ", 1) for line in DEFINITIONS[name].splitlines()]
    return [(kind, field) for kind, field in rows if "=" not in field]


def schema(name: str) -> str:
    """The definition with those of all parts below it, as MCAP files hold it (`ros2msg`)."""
    parts: dict[str, None] = {}
    waiting = [name]
    while waiting:
        for kind, _ in fields(waiting.pop(0)):
            part = full(base(kind)) if "/" in kind else ""
            if part and part not in parts:
                parts[part] = None
                waiting.append(part)
    text = DEFINITIONS[name]
    for part in parts:
        text += f"{RULE}\nMSG: {part.replace('/msg/', '/')}\n{DEFINITIONS[part]}"
    return text
