"""Sides of `bench sharing`: the official client through the server, and its own code on the same files on disk.

`flood` is no side: many clients that ask for metadata at once, each over one connection.
"""

import http.client
import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from benchmarks.harness import Settings
from benchmarks.trials import Side, Usage

if TYPE_CHECKING:
    import pandas as pd

SERVER, DISK, FLOOD = "server", "disk", "flood"


def server(settings: Settings, _: Path, usage: Usage) -> Mapping[str, float]:
    """Read the whole table through the server."""
    import delta_sharing
    import fsspec

    fsspec.filesystem("http")  # Imports what it takes to speak HTTP, which is no part of reading.
    url = f"{settings['profile']}#{settings['name']}"
    return _read(lambda: delta_sharing.load_as_pandas(url, use_delta_format=False), usage)


def disk(settings: Settings, _: Path, usage: Usage) -> Mapping[str, float]:
    """Read the same files from disk, with what the client does to each."""
    import pandas as pd
    from delta_sharing.protocol import AddFile
    from delta_sharing.reader import DeltaSharingReader

    def read() -> "pd.DataFrame":
        files = [AddFile(url=path, id="", partition_values={}, size=0) for path in str(settings["files"]).split("\n")]
        frames = [DeltaSharingReader._to_pandas(file, {}, False, None, False) for file in files]
        return pd.concat(frames, axis=0, ignore_index=True, copy=False)

    return _read(read, usage)


def flood(settings: Settings, _: Path, usage: Usage) -> Mapping[str, float]:
    """Many clients at once, as long as told; how long their calls took, and how many failed."""
    profile = json.loads(Path(str(settings["profile"])).read_text())
    share, schema, table = str(settings["name"]).split(".")
    place = urlsplit(profile["endpoint"])
    path = f"{place.path}/shares/{share}/schemas/{schema}/tables/{table}/metadata"
    headers = {"authorization": f"Bearer {profile['bearerToken']}"}
    until = time.monotonic() + float(str(settings["seconds"]))
    taken: list[float] = []
    failed: list[str] = []

    def client() -> None:
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        while time.monotonic() < until:
            began = time.perf_counter()
            try:
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                failed.append(type(error).__name__)
                connection.close()
                continue
            taken.append(time.perf_counter() - began)
            if answer.status != 200:
                failed.append(str(answer.status))

    threads = [threading.Thread(target=client) for _ in range(int(str(settings["clients"])))]
    with usage:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    taken.sort()
    p50, p99 = (taken[int(len(taken) * part)] * 1000 if taken else 0.0 for part in (0.5, 0.99))
    return {
        "metadata_calls": len(taken),
        "metadata_errors": len(failed),
        "metadata_p50_ms": p50,
        "metadata_p99_ms": p99,
    }


def _read(read: "Callable[[], pd.DataFrame]", usage: Usage) -> Mapping[str, float]:
    import pandas as pd

    with usage:
        frame = read()
    hashes = pd.util.hash_pandas_object(frame, index=False)
    # A sum does not mind the order of files; 52 bits stay whole as a float.
    return {"rows_read": len(frame), "digest": float(int(hashes.sum()) & ((1 << 52) - 1))}


SIDES: Mapping[str, Side] = {SERVER: server, DISK: disk, FLOOD: flood}
