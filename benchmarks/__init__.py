"""Side-by-side measurements against named peers, on public data. Not in the wheel.

`shipments` and `crossings` say what is measured and by which protocol; `shipment_sides` and `crossing_sides` hold our
side and the peers', each run by `harness` in a process of its own; `measure` computes figures, `result` reports them.
"""
