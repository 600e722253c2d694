"""Risk models: specs, training sets, calibration, explanation, selection, scoring and their registry."""
