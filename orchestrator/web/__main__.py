"""`python -m orchestrator.web RUN`: show a run, or the runs of a folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from orchestrator.web.app import serve


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m orchestrator.web")
    parser.add_argument("run", type=Path, metavar="RUN", help="a run file or a folder of them")
    parser.add_argument("--host", default="127.0.0.1", help="who may look (127.0.0.1: only you)")
    parser.add_argument("--port", type=int, default=8750)
    parser.add_argument("--open", action="store_true", help="open a browser")
    arguments = parser.parse_args()
    print(f"http://{arguments.host}:{arguments.port}/", flush=True)
    serve(arguments.run, arguments.host, arguments.port, arguments.open)


if __name__ == "__main__":
    main()
