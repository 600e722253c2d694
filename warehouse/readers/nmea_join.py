"""Which NMEA lines belong together: the parts of a message, a `$PGHP` line and its sentence, a tag group.

Lines belong together only within `WINDOW_LINES` of each other; the reader keeps that many lines back at the
end of a block, so that where a block ends changes nothing.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from warehouse.readers.nmea import Block, Sentences
from warehouse.readers.nmea_bytes import NONE, Ints
from warehouse.readers.nmea_tags import HEADERS

# In the real exactEarth log a sentence and its $PGHP, whichever is first, are up to 63 lines apart; beyond,
# equal checksums (one in 256) are chance. Sequence numbers run 0 to 9: a wider window joins strangers' parts.
WINDOW_LINES = 64
_LOGGED_APART_US = 1_000_000
_BASE_STATION = int.from_bytes(b"BS")


@dataclass
class Messages:
    """Messages as runs of sentences: `sentence[first[i]]` is the first part of message i.

    `message` and `sentence` have an element a part, in order; `loose` are parts of incomplete messages.
    """

    message: Ints
    sentence: Ints
    first: Ints
    loose: Ints

    def first_known(self, per_sentence: Ints) -> Ints:
        """Of each message, the value of its first part that has one."""
        value = np.full(len(self.first), NONE)
        at = per_sentence[self.sentence]
        known = np.flatnonzero(at != NONE)[::-1]
        value[self.message[known]] = at[known]
        return value


def assemble(sentences: Sentences, number: Ints) -> Messages:
    """Join parts into messages; `number` is the line number of each sentence."""
    singles = np.flatnonzero(sentences.total == 1)
    parts = np.flatnonzero(sentences.total > 1)
    runs: list[list[int]] = []
    loose: list[int] = []
    if len(parts):
        runs, loose = _in_order(sentences, number, parts)
        more, loose = _leftover(sentences, number, loose)
        runs += more
    heads = np.concatenate((singles, np.array([run[0] for run in runs], np.int64)))
    order = np.argsort(number[heads], kind="stable")
    size = np.concatenate((np.ones(len(singles), np.int64), np.array([len(run) for run in runs], np.int64)))[order]
    first = np.cumsum(size) - size
    sentence = np.empty(int(size.sum()), np.int64)
    sentence[first] = heads[order]
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    for index, run in enumerate(runs):
        at = first[place[len(singles) + index]]
        sentence[at : at + len(run)] = run
    return Messages(np.repeat(np.arange(len(size)), size), sentence, first, np.array(loose, np.int64))


def _in_order(s: Sentences, number: Ints, parts: Ints) -> tuple[list[list[int]], list[int]]:
    """Parts 1..n of one key directly after each other in that key, found without a loop over lines."""
    stations = s.station.gather(parts).rank("dense").fill_null(0).to_numpy().astype(np.int64)
    stream = (s.sequence[parts] + 1) * 256 + s.channel[parts]
    talker = s.talker[parts] * 16 + s.total[parts]
    columns = (stations, s.group[parts], stream, talker)
    order = np.lexsort((number[parts], *columns))
    sorted_parts, total, part = parts[order], s.total[parts][order], s.part[parts][order]
    change = np.zeros(len(order), bool)
    for column in columns:
        change[1:] |= column[order][1:] != column[order][:-1]
    key = np.cumsum(change)
    taken = np.zeros(len(order), bool)
    runs: list[list[int]] = []
    for size in np.unique(total).tolist():
        starts = np.flatnonzero((part == 1) & (total == size))
        starts = starts[starts + size <= len(order)]
        whole = np.ones(len(starts), bool)
        for step in range(1, size):
            whole &= (key[starts + step] == key[starts]) & (part[starts + step] == step + 1)
        starts = starts[whole]
        starts = starts[number[sorted_parts[starts + size - 1]] - number[sorted_parts[starts]] <= WINDOW_LINES]
        members = starts[:, None] + np.arange(size)
        taken[members] = True
        runs += sorted_parts[members].tolist()
    return runs, np.sort(sorted_parts[~taken]).tolist()


def _leftover(s: Sentences, number: Ints, parts: list[int]) -> tuple[list[list[int]], list[int]]:
    """Parts that others of their key came between, or that name a station only once.

    Out of order only inside a tag-block group: elsewhere a late part 1 is likelier another message's.
    """
    runs: list[list[int]] = []
    if not parts:
        return runs, parts
    waiting: dict[tuple[int, ...], list[tuple[int, dict[int, int]]]] = {}  # line of the first, part to index
    station = dict(zip(parts, s.station.gather(parts).to_list(), strict=True))
    columns = (number, s.part, s.group, s.total, s.talker, s.sequence, s.channel)
    for index, values in zip(parts, zip(*(each[parts].tolist() for each in columns), strict=True), strict=True):
        line, part, group, total = values[:4]
        queue = [one for one in waiting.get(values[2:], []) if line - one[0] <= WINDOW_LINES]
        waiting[values[2:]] = queue
        for one in queue:
            have = one[1]
            expected = part not in have if group != NONE else part == len(have) + 1
            if expected and len({station[at] for at in (*have.values(), index)} - {None}) <= 1:
                have[part] = index
                if len(have) == total:
                    runs.append([have[step] for step in range(1, total + 1)])
                    queue.remove(one)
                break
        else:
            if part == 1 or group != NONE:
                queue.append((line, {part: index}))
    used = {index for run in runs for index in run}
    return runs, [index for index in parts if index not in used]


def gatehouse_of(block: Block) -> Ints:
    """For each sentence the `$PGHP` line that names its checksum (index into `block.gatehouse`), or -1.

    The line before has priority; else each takes the first that waits for it, whichever kind comes first. A
    base station's own sentences (talker BS) do not wait: in the exactEarth log none of 784 has a `$PGHP`.
    """
    sentences, gatehouse, number = block.sentences, block.gatehouse, block.lines.number
    found = np.full(len(sentences.line), NONE)
    if not len(gatehouse.line):
        return found
    at, lines = number[gatehouse.line], number[sentences.line]
    before = np.minimum(np.searchsorted(at, lines - 1), len(at) - 1)
    direct = (at[before] == lines - 1) & (gatehouse.checksum[before] == sentences.checksum)
    found[direct] = before[direct]
    free = np.ones(len(at), bool)
    free[before[direct]] = False
    here = np.flatnonzero(~direct & (sentences.talker >> 8 != _BASE_STATION))
    there = np.flatnonzero(free)
    line = np.concatenate((lines[here], at[there]))
    checksum = np.concatenate((sentences.checksum[here], gatehouse.checksum[there]))
    logged = np.concatenate((sentences.logged_us[here], gatehouse.logged_us[there]))
    order = np.lexsort((line, checksum))
    one, two = _pairs(order, line[order], checksum[order], logged[order], len(here))
    found[here[np.minimum(one, two)]] = there[np.maximum(one, two) - len(here)]
    return found


def _pairs(order: Ints, line: Ints, checksum: Ints, logged: Ints, sentences: int) -> tuple[Ints, Ints]:
    """Pairs of a sentence and a `$PGHP` line; those of `order` below `sentences` are sentences.

    Events are sorted by checksum and line, and a pair depends on earlier events alone. As long as each second
    event goes with the one before, none waits, and a cluster is paired at once; from the first that does not,
    it is walked through.
    """
    if not len(order):
        return order, order
    apart = (np.diff(checksum) != 0) | (np.diff(line) > WINDOW_LINES)
    cluster = np.concatenate(([0], np.flatnonzero(apart) + 1))
    cluster = np.repeat(cluster, np.diff(np.append(cluster, len(order))))
    known = (logged[:-1] != NONE) & (logged[1:] != NONE)
    fits = ~apart & ((order[:-1] < sentences) != (order[1:] < sentences))
    fits &= ~known | (np.abs(np.diff(logged)) <= _LOGGED_APART_US)
    leads = (np.arange(len(order)) - cluster)[:-1] % 2 == 0
    wrong = np.append(leads & ~apart & ~fits, False)
    so_far = np.cumsum(wrong)
    walked = so_far > so_far[cluster] - wrong[cluster]
    pair = np.flatnonzero(leads & fits & ~walked[:-1])
    left, right = order[pair].tolist(), order[pair + 1].tolist()
    crowd = np.flatnonzero(walked)
    waiting: list[tuple[int, int, int, int]] = []
    for event in np.stack((order, checksum, line, logged), axis=1)[crowd].tolist():
        waiting = [one for one in waiting if one[1] == event[1] and event[2] - one[2] <= WINDOW_LINES]
        for one in waiting:
            near = NONE in (one[3], event[3]) or abs(one[3] - event[3]) <= _LOGGED_APART_US
            if near and (one[0] < sentences) != (event[0] < sentences):
                waiting.remove(one)
                left.append(one[0])
                right.append(event[0])
                break
        else:
            waiting.append(event)
    return np.array(left, np.int64), np.array(right, np.int64)


def no_groups() -> pl.DataFrame:
    """Tag-block groups before the first block."""
    return pl.DataFrame(schema=HEADERS)


def inherit(block: Block, earlier: pl.DataFrame) -> pl.DataFrame:
    """Give sentences the time and station that an earlier line of their tag-block group has.

    Changes `block.sentences`; returns the groups that the next block may still need.
    """
    s, number = block.sentences, block.lines.number
    if not ((s.group >= 0).any() or block.headers.height or earlier.height):
        return earlier
    own = pl.DataFrame(
        {"group": s.group, "line": number[s.line], "time": s.tagged_us, "station": s.station}, schema=HEADERS
    )
    known = pl.concat((earlier, block.headers, own)).filter(pl.col("group") >= 0)
    known = known.with_columns(pl.col("time").replace(NONE, None)).unique(("group", "line")).sort("line")
    in_group = own.select("line", pl.when(pl.col("group") >= 0).then("group").alias("group")).with_row_index()
    for column in ("time", "station"):
        source = known.select("group", "line", column).drop_nulls()
        joined = in_group.sort("line").join_asof(
            source, on="line", by="group", tolerance=WINDOW_LINES, check_sortedness=False
        )
        inherited = joined.sort("index")[column]
        if column == "time":
            s.tagged_us = np.where(s.tagged_us == NONE, inherited.fill_null(NONE).to_numpy(), s.tagged_us)
        else:
            s.station = s.station.fill_null(inherited)
    recent = pl.col("line") > int(number[-1]) - 3 * WINDOW_LINES
    return known.filter(recent).with_columns(pl.col("time").fill_null(NONE))
