"""Risk models: specs, training sets, calibration, explanation, selection, scoring and their registry."""

import os

# Read when the OpenMP runtime loads. Its threads otherwise spin while they wait, and on a busy machine LightGBM
# then takes twenty times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
