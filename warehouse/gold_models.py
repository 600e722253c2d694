"""Shapes of the gold tables about models: what was decided about versions, and what a challenger would say."""

import dataframely as dy


class ModelDecisions(dy.Schema):
    """What was decided about a version of a model, by the gate or by a person. Append-only."""

    decision_id = dy.String(description="Hash of model, version, action and moment.")
    model_name = dy.String(description="Registered model.")
    model_version = dy.Int64(description="Version that the decision is about.")
    model_sha256 = dy.String(description="Hash of its text and bundle.")
    action = dy.String(
        description="judged: registered as challenger; promoted: made champion; stands_in: made champion though the "
        "gate did not pass it, since there was none; rolled_back: made champion again in place of a later one."
    )
    replaced_version = dy.Int64(nullable=True, description="Champion before; null: there was none, or it stayed.")
    decided_at = dy.Datetime(time_unit="us", time_zone="UTC", description="When it was decided.")
    decided_by = dy.String(description="Who decided: gate, or a person.")
    reason = dy.String(description="Why.")
    passed_gate = dy.Bool(
        nullable=True, description="Whether it met every rule of the gate; null: it was never judged."
    )
    overrides = dy.List(dy.String(), description="Rules of the gate that were not met when it was made champion.")
    verdict = dy.String(nullable=True, description="The gate's verdict as JSON: each rule with its figures.")


class ShadowScores(dy.Schema):
    """What a challenger says of an event that the champion has scored. Append-only; no lane rests on it."""

    event_id = dy.String(description="Event scored.")
    event_version = dy.Int64(description="Its version.")
    event_at = dy.Datetime(time_unit="us", time_zone="UTC", description="When the event happened.")
    event_date = dy.Date(description="UTC day of `event_at`.")
    received_on = dy.Date(description="Day the event was delivered.")
    jurisdiction = dy.String(description="Jurisdiction of the event.")
    location = dy.String(description="Office of entry or border crossing point.")
    model_name = dy.String(description="Registered model.")
    model_version = dy.Int64(description="Version of the challenger.")
    model_sha256 = dy.String(description="Hash of its text and bundle.")
    champion_version = dy.Int64(description="Version of the champion in whose shadow it was scored.")
    scored_at = dy.Datetime(time_unit="us", time_zone="UTC", description="The logical moment of scoring.")
    in_training = dy.Bool(description="Whether the event was used to fit or calibrate the challenger.")
    raw_score = dy.Float64(description="Uncalibrated score, log-odds.")
    probability = dy.Float64(min=0, max=1, description="Calibrated probability of an adverse outcome.")
