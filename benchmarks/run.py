"""A side's process: `python -m benchmarks.run BENCH SIDE FOLDER`."""

import sys
from pathlib import Path

from benchmarks import bound_sides, crossing_sides, shipment_sides
from benchmarks.harness import work

SIDES = {"shipments": shipment_sides.SIDES, "crossings": crossing_sides.SIDES, "bound": bound_sides.SIDES}

if __name__ == "__main__":
    _, bench, side, folder = sys.argv
    work(SIDES[bench][side], side, Path(folder))
