"""A process of `bench canary`: `python -m benchmarks.canary_paths SEED PATH...` drives canaries through failures.

Each path enters where the product is entered (`canary_entries`). Where something must break it is broken
(`canary_breaks`). The paths themselves are in `canary_landing`, `canary_later` and `canary_keeping`.
"""

import sys
from collections.abc import Callable

from benchmarks import canary_breaks, canary_keeping, canary_landing, canary_later
from benchmarks.canary_values import Canary, canary
from pipelines.deployment import Deployment, from_environment

Driven = Callable[[Deployment, Canary], object]

PATHS: dict[str, Driven] = {
    "refused": canary_landing.refused,
    "killed": canary_landing.killed,
    "process_of_a_run": canary_landing.process_of_a_run,
    "commit_fails_in_a_run": canary_landing.commit_fails_in_a_run,
    "commit_fails_in_a_command": canary_landing.commit_fails_in_a_command,
    "commit_panics": canary_landing.commit_panics,
    "disk_full": canary_landing.disk_full,
    "reader_fails_in_a_run": canary_landing.reader_fails_in_a_run,
    "reader_fails_in_a_command": canary_landing.reader_fails_in_a_command,
    "dialect_fails": canary_landing.dialect_fails,
    "conform_fails": canary_later.conform_fails,
    "landed_to_the_end": canary_landing.landed_to_the_end,
    "redrive_fails": canary_landing.redrive_fails,
    "features_fail": canary_later.features_fail,
    "scoring_fails": canary_later.scoring_fails,
    "training_fails": canary_later.training_fails,
    "logging_a_model_fails": canary_later.logging_a_model_fails,
    "monitoring_fails": canary_later.monitoring_fails,
    "sharing_fails": canary_later.sharing_fails,
    "sensor_fails": canary_later.sensor_fails,
    "schedule_fails": canary_later.schedule_fails,
    "command_fails": canary_keeping.command_fails,
    "returned": canary_keeping.returned,
    "verified": canary_keeping.verified,
    "refused_erasure": canary_keeping.refused_erasure,
}

if __name__ == "__main__":
    _, _seed, *_names = sys.argv
    for _name in _names:
        print(f"path {_name}", flush=True)
        canary_breaks.begin()
        PATHS[_name](from_environment(), canary(int(_seed)))
        if canary_breaks.are_missed():
            sys.exit(f"path {_name}: nothing ran into what was broken")
        print(f"driven {_name}", flush=True)
