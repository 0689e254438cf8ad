"""Run every bench, or those named, in turn; the last line holds the lowest ratio and each bench's own.

Exits with 1 when a bench broke or answered wrongly (a ratio of 0), and with ``--enforce`` also when one missed its
target (a ratio under 1).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.workbench import PROJECT, machine, say

SHARED = {"__init__", "__main__", "workbench"}


def main() -> int:
    present = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in SHARED)
    asked = [word for word in sys.argv[1:] if word != "--enforce"]
    names, floor = asked or present, 1.0 if "--enforce" in sys.argv else 0.001
    unknown = [name for name in names if name not in present]
    if unknown:
        print(f"No such bench: {', '.join(unknown)}. There are: {', '.join(present)}.", file=sys.stderr)
        return 2
    say(machine=machine())
    ratios: dict[str, float] = {}
    broken = []
    for name in names:
        last = ""
        command = [sys.executable, "-m", f"bench.{name}"]
        environment = {**os.environ, "PYTHONPATH": f"{PROJECT / 'src'}{os.pathsep}{PROJECT}"}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT, env=environment) as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                last = line
        try:
            ratios[name] = json.loads(last)["ratio"]
        except (ValueError, KeyError, TypeError):
            broken.append(name)
        if process.returncode and name not in broken:
            broken.append(name)
    say(bench="all", ratio=min(ratios.values(), default=None), ratios=ratios, broken=broken)
    return 1 if broken or min(ratios.values()) < floor else 0


if __name__ == "__main__":
    sys.exit(main())
