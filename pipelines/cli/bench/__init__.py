"""`borderlake bench NAME`: measure against a named peer.

One module a part of the house; each adds its commands to `app`.
"""

from pipelines.cli.bench import features, landing, models, sharing
from pipelines.cli.bench.running import app

__all__ = ["app", "features", "landing", "models", "sharing"]
