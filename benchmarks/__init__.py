"""Side-by-side measurements against named peers, on public data and on a simulated border. Not in the wheel.

`shipments` and `crossings` say what is measured and by which protocol; `shipment_sides` and `crossing_sides` hold our
side and the peers', each run by `harness` in a process of its own; `measure` computes figures, `result` reports them.

`bound` asks how much of what could be found is found: `world` simulates a border and reads it without a lake,
`bound_lessons` says who is judged and what a side may learn from, `bound_sides` are the sides, `bound_measure` and
`bound_result` their figures.

`drift` asks how soon the monitoring of models reports what a simulated border plants, and how often it reports what is
not there: `drift_worlds` lives the worlds and monitors them.

`ais` and `landing` clock readers and landing beside a peer, turn by turn (`trials`), on what `declaration_lines` and
the simulation generate; `malformed` damages extracts (`mutations`) and counts what reading them does; `crash` kills
landings. `trial_result` reports them.
"""

import warehouse  # noqa: F401  # Before any module imports Polars: see there.
