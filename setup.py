"""The package, for pip and for colcon; and the one place where dependencies are declared.

`make lock` turns them into `requirements.lock`, which is what `make setup` installs.
"""

from glob import glob
from pathlib import Path

from setuptools import find_packages, setup

NAME = "lightsout"
SHARE = f"share/{NAME}"

RUNTIME = [
    "fastapi",
    "msgspec",
    "numba",
    "numpy",
    "ortools",
    "pydantic>=2",
    "PyYAML",
    "rich",
    "scipy",
    "shapely",
    "uvicorn",
    "websockets",
]
EXTRAS = {
    "mqtt": ["aiomqtt>=2.5,<3", "amqtt>=0.12"],
    "vision": [
        "httpx",
        "onnxruntime",
        "opencv-python-headless>=4.10",
        "pillow",
        "rapidocr>=3.10,<4",  # its opencv-python needs a desktop: `make lock` leaves it out
        "zxing-cpp>=2.2",
    ],
    "triton": ["tritonclient[http]"],
    "opcua": ["asyncua"],
    "modbus": ["pymodbus>=3.10"],
    "ros": ["mcap>=1.2"],  # rclpy and its kin come with ROS 2 itself, never by pip
    "fuzz": [  # where it has a wheel; elsewhere `make fuzz` says that there is none
        "atheris>=3; sys_platform == 'linux' and platform_machine == 'x86_64' "
        "and python_version < '3.14'",
    ],
    "dev": [
        "colcon-common-extensions",
        "colcon-ros",
        "httpx",
        "hypothesis",
        "import-linter",
        "jsonschema",
        "mypy",
        "playwright",
        "py-spy",
        "pytest",
        "pytest-xdist",
        "rosbags>=0.11",  # reads what we write for ROS 2
        "ruff",
        "setuptools>=70.1",  # builds the package itself, and colcon's test of it
        "types-PyYAML",
    ],
}


def site_files() -> list[tuple[str, list[str]]]:
    """Return every file below sites/ with its folder under share/, folder by folder."""
    folders: dict[str, list[str]] = {}
    for path in sorted(Path("sites").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            folders.setdefault(f"{SHARE}/{path.parent.as_posix()}", []).append(path.as_posix())
    return list(folders.items())


setup(
    name=NAME,
    version="0.1.0",
    description="Orchestrator of warehouse robots: one deterministic core, three drivers",
    maintainer="Lightsout maintainers",
    maintainer_email="maintainers@example.org",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(
        include=["orchestrator", "orchestrator.*", "planners", "planners.*", "sim", "sim.*"]
    ),
    package_data={
        "orchestrator": ["web/static/**/*", "mqtt/mosquitto.conf"],
        "sim": ["cameras/calibration.json"],
    },
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (SHARE, ["package.xml"]),
        (f"{SHARE}/launch", sorted(glob("launch/*.launch.py"))),
        (f"{SHARE}/config", sorted(glob("config/*"))),
        *site_files(),
    ],
    zip_safe=False,
    install_requires=RUNTIME,
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": [
            "lightsout = orchestrator.cli:main",
            # for `ros2 run lightsout …`; without ROS 2 they say that it is missing
            "orchestrator = orchestrator.commands.ros_nodes:orchestrator",
            "simulator = orchestrator.commands.ros_nodes:simulator",
            "replay = orchestrator.commands.ros_nodes:replay",
        ]
    },
)
