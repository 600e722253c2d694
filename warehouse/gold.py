"""Shapes of the gold tables: served feature vectors, registered features, scores, selections, dispositions, monitoring;
those about models themselves are in `warehouse.gold_models`. All are listed here.

Feature vectors are one list per event in the order of `feature_names` of their feature set, so that a new
feature needs no new column and a stored vector never changes shape.
"""

from dataclasses import dataclass

import dataframely as dy

from warehouse.contracts.base import facts
from warehouse.gold_models import ModelDecisions, ShadowScores


def _moment(description: str, *, nullable: bool = False) -> dy.Datetime:
    return dy.Datetime(nullable=nullable, time_unit="us", time_zone="UTC", description=description)


class EventFeatures(dy.Schema):
    """The vector of an event as known strictly before it."""

    event_id = dy.String(description="Event.")
    event_version = dy.Int64(description="Its version.")
    event_at = _moment("When the event happened: the moment the features are as of.")
    event_date = dy.Date(description="UTC day of `event_at`.")
    received_on = dy.Date(description="Day the event was delivered.")
    jurisdiction = dy.String(description="Jurisdiction of the event.")
    feature_set = dy.String(description="Hash of the names and definitions, in order.")
    numbers = dy.List(dy.Float64(nullable=True), description="Numeric features in the order of the set.")
    categories = dy.List(dy.String(nullable=True), description="Categorical features in the order of the set.")


class RegisteredFeatures(dy.Schema):
    """One feature as it was declared. Append-only: a subject's rows are written anew when any of them changes."""

    registration = dy.String(description="Hash of all declarations of the subject, words and purposes too.")
    registered_at = _moment("When the pipeline first computed with these declarations.")
    subject = dy.String(description="shipments or crossings.")
    feature = dy.String(description="Name of the feature.")
    feature_set = dy.String(description="Feature set that vectors with these definitions are stored under.")
    position = dy.Int64(description="Where it stands in `numbers` or `categories` of a stored vector, from 0.")
    is_category = dy.Bool(description="Whether it stands in `categories`.")
    definition = dy.String(description="Hash of what it is computed from and how.")
    meaning = dy.String(description="What it means.")
    unit = dy.String(description="Its unit.")
    owner = dy.String(description="Agency domain whose data it rests on; `partner-`: another jurisdiction's.")
    sensitivity = dy.String(description="open or commercial; never personal.")
    purposes = dy.List(dy.String(), description="Purposes that it may serve; no other.")
    jurisdictions = dy.List(
        dy.String(), nullable=True, description="Where alone it may serve, as their law says; null: no such limit."
    )
    view = dy.String(nullable=True, description="View that computes it; null: the event says it of itself.")
    kind = dy.String(description="Kind of aggregation, or attribute.")
    entity = dy.List(dy.String(), description="Columns of the event that name the entity.")
    source = dy.String(description="Source of history.")
    column = dy.String(nullable=True, description="Column of the source that is aggregated.")
    silver_tables = dy.List(dy.String(), description="Tables that it rests on.")
    silver_columns = dy.List(dy.String(), description="Columns of those tables that it names.")
    window_days = dy.Int64(
        nullable=True, description="Window in days; null: hours are said, lifetime, or of the event itself."
    )
    prior_weight = dy.Float64(nullable=True, description="Rows of the jurisdiction that a rate is drawn to.")
    window_hours = dy.Int64(nullable=True, description="Window in hours, where it is not of days.")
    condition = dy.String(
        nullable=True,
        description="What rows must meet to count, or of a share, what is to hold; null: nothing is asked.",
    )


class Reason(dy.Schema):
    """One reason for a score, or what all else adds to it."""

    theme = dy.String(description="What it speaks of; `all else`: everything that is not among the reasons.")
    feature = dy.String(description="The feature of that theme which raises the score most.")
    text = dy.String(description="The reason in plain words.")
    contribution = dy.Float64(
        description="Share of the score, log-odds; all of a row and the model's expected value sum to `raw_score`."
    )
    owners = dy.List(dy.String(), description="Agencies whose data it rests on.")
    sensitivity = dy.String(description="Highest sensitivity of what it rests on: open or commercial.")


class Scores(dy.Schema):
    """One score of one event version by one model version. Append-only."""

    score_id = dy.String(description="Hash of event, version, model version and `scored_at`.")
    event_id = dy.String(description="Event scored.")
    event_version = dy.Int64(description="Its version.")
    event_at = _moment("When the event happened.")
    event_date = dy.Date(description="UTC day of `event_at`.")
    received_on = dy.Date(description="Day the event was delivered.")
    jurisdiction = dy.String(description="Jurisdiction of the event.")
    location = dy.String(description="Office of entry or border crossing point.")
    model_name = dy.String(description="Registered model.")
    model_version = dy.Int64(description="Its version in the registry.")
    model_sha256 = dy.String(description="Hash of the model's text.")
    scored_at = _moment("The logical moment of scoring.")
    in_training = dy.Bool(description="Whether the event was used to fit or calibrate this model.")
    has_unseen_category = dy.Bool(description="Whether a category was new to the model.")
    raw_score = dy.Float64(description="Uncalibrated score.", metadata=facts(unit="log-odds"))
    probability = dy.Float64(
        min=0, max=1, description="Calibrated probability of an adverse outcome.", metadata=facts(unit="probability")
    )
    expected_recovery = dy.Float64(
        nullable=True,
        min=0,
        description="What looking into it is expected to bring, in `recovery_currency`; null: no amounts were learnt.",
        metadata=facts(unit="currency units"),
    )
    recovery_currency = dy.String(nullable=True, description="Currency.", metadata=facts(standard="ISO 4217"))
    reasons = dy.List(
        dy.Struct(Reason.columns()),
        description="Strongest reasons, strongest first, then all else; for the events that may be acted on.",
    )
    vector = dy.List(dy.Float32(nullable=True), description="The served feature vector as the model saw it.")


class Selections(dy.Schema):
    """The lane an event was put in, given a capacity per office and day. Append-only."""

    score_id = dy.String(description="Score it rests on.")
    event_id = dy.String(description="Event.")
    event_version = dy.Int64(description="Its version.")
    event_date = dy.Date(description="UTC day of the event.")
    received_on = dy.Date(description="Day the event was delivered.")
    model_version = dy.Int64(description="Model version of the score.")
    scored_at = _moment("The logical moment of scoring.")
    location = dy.String(description="Office or crossing point.")
    lane = dy.String(description="red: physical, yellow: documents, blue: after release, green: release.")
    lane_by_risk = dy.String(nullable=True, description="Lane by rank alone, as it was before the draw.")
    rank = dy.Int64(description="Rank within location and day, among those placed together, from 1.")
    is_exploration = dy.Bool(description="Drawn at random, not by rank.")
    propensity = dy.Float64(min=0, max=1, description="Probability with which the event came into red or yellow.")
    reason = dy.String(nullable=True, description="Why it is in its lane: its rank, or that it was drawn.")
    abstained_for = dy.String(
        nullable=True, description="Why the model has no ground to judge it; null: it has. The lane stands."
    )


class Dispositions(dy.Schema):
    """What a person decided. A score advises; an officer acts. Append-only: of a score the last decision counts."""

    score_id = dy.String(description="Score acted on.")
    event_id = dy.String(description="Event of the score.")
    event_version = dy.Int64(description="Its version.")
    model_name = dy.String(description="Model of the score.")
    model_version = dy.Int64(description="Model version of the score.")
    location = dy.String(nullable=True, description="Office or crossing point.")
    received_on = dy.Date(description="Day the event was delivered.")
    lane = dy.String(description="Lane that was advised.")
    is_exploration = dy.Bool(description="Whether it was advised by the draw.")
    propensity = dy.Float64(min=0, max=1, description="Probability with which the event came into red or yellow.")
    action = dy.String(description="inspect, documents, audit, release or other.")
    is_override = dy.Bool(description="Whether the action is another than the lane advises.")
    is_inspected = dy.Bool(description="Whether the action looks at the event before release.")
    officer = dy.String(description="Keyed id of the officer.")
    reason = dy.String(description="The officer's reason; it names nobody.")
    decided_at = _moment("When it was decided.")


class RecalledScores(dy.Schema):
    """A score that was withdrawn. Append-only: it stays in its table, and leaves every share."""

    score_id = dy.String(description="Score withdrawn.")
    model_name = dy.String(description="Model of the score.")
    model_version = dy.Int64(description="Model version of the score.")
    event_id = dy.String(description="Event of the score.")
    event_version = dy.Int64(description="Its version.")
    event_date = dy.Date(description="UTC day of the event.")
    reason = dy.String(description="Why it was withdrawn; it names nobody.")
    recalled_by = dy.String(description="Who withdrew it.")
    recalled_at = _moment("When it was withdrawn.")


class ModelMonitoring(dy.Schema):
    """One figure of a model's monitoring on one day of delivery. Append-only: a day is judged once."""

    monitored_on = dy.Date(description="Day of delivery up to which the figure looks.")
    model_name = dy.String(description="Registered model.")
    model_version = dy.Int64(description="The champion of that day.")
    figure = dy.String(
        description="input_drift, score_drift, volume, calibration, precision, base_rate or days_missed."
    )
    feature = dy.String(description="Feature, kind of score or source that it is of; empty: the model as a whole.")
    value = dy.Float64(description="What was measured.")
    low = dy.Float64(nullable=True, description="Least that is usual; null: no such bound.")
    high = dy.Float64(nullable=True, description="Most that is usual, the alert's threshold; null: no such bound.")
    is_alert = dy.Bool(description="Whether the value lies beyond a bound.")
    recorded_at = _moment("When it was written.")


class Tiles(dy.Schema):
    """What an entity's rows of one instant add up to. Append-only; `tile_days` says which batches stand."""

    view = dy.String(description="View and a hash of its definition.")
    batch_id = dy.String(description="The rolling of a day that wrote it.")
    usable_on = dy.Date(description="UTC day on which the rows became usable, or were taken back.")
    began_on = dy.Date(description="UTC day of `began_at`: the day that leaves a window.")
    entity = dy.String(description="Keys of the entity, as one string.")
    began_at = _moment("When what the rows speak of could first be used.")
    usable_at = _moment("When the rows became usable, or were taken back.")
    event_at = _moment("When what they speak of happened.")
    sums = dy.List(dy.Int64(), description="Signed sums of the view's measures, in its order.")


class TileStates(dy.Schema):
    """What every window of a view held for an entity at a midnight. The last few midnights are kept."""

    view = dy.String(description="View and a hash of its definition.")
    batch_id = dy.String(description="The rolling of the day before that wrote it.")
    day = dy.Date(description="UTC day at whose first instant the state is true.")
    entity = dy.String(description="Keys of the entity, as one string.")
    sums = dy.List(dy.Int64(), description="Sums of the view's lanes, in its order: a measure over a window each.")


class TileMarks(dy.Schema):
    """Values that an entity holds, and its first and last times, at a midnight."""

    view = dy.String(description="View and a hash of its definition.")
    batch_id = dy.String(description="The rolling of the day before that wrote it.")
    day = dy.Date(description="UTC day at whose first instant the state is true.")
    entity = dy.String(description="Keys of the entity, as one string.")
    column = dy.String(nullable=True, description="Column of the value; null: a time.")
    value = dy.String(nullable=True, description="Value that is held.")
    edge = dy.Int64(nullable=True, description="1: one of the last times, -1: one of the first.")
    at = dy.Int64(nullable=True, description="Time that it was seen, microseconds since 1970, times `edge`.")
    balance = dy.Int64(description="Rows that hold the value or time and are not taken back.")
    floor = dy.Int64(nullable=True, description="Times not above it may be missing; null: all are here.")


class TileDays(dy.Schema):
    """One row a rolling: the commit that makes its tiles and state true."""

    views = dy.String(description="Hash of the definitions that roll together.")
    day = dy.Date(description="UTC day that was rolled over; of a backfill, the last.")
    batch_id = dy.String(description="Names its tiles and states.")
    before = dy.String(description="Batch of the state that it went on from; empty: none.")
    content = dy.String(description="Hash of the rows that it was given.")
    turn = dy.Int64(description="Counts the rollings: a day rolled again voids it and the days after it.")


@dataclass(frozen=True)
class Declared:
    """A gold table: its shape and what it is for."""

    schema: type[dy.Schema]
    description: str
    key: tuple[str, ...]
    partition_by: tuple[str, ...] = ("event_date",)


_EVENT_KEY = ("event_id", "event_version")
_SCORE_KEY = (*_EVENT_KEY, "model_version", "scored_at")
_SHADOW_KEY = (*_EVENT_KEY, "model_version")

TABLES: dict[str, Declared] = {
    "event_features__shipments": Declared(EventFeatures, "Feature vectors of shipments, as served.", _EVENT_KEY),
    "event_features__crossings": Declared(EventFeatures, "Feature vectors of crossings, as served.", _EVENT_KEY),
    "features": Declared(
        RegisteredFeatures,
        "Registered features: meaning, owner, sensitivity, purposes, and the columns each rests on.",
        ("subject", "registration", "feature"),
        (),
    ),
    "shipment_scores": Declared(Scores, "Risk scores of shipments with reasons.", _SCORE_KEY),
    "crossing_scores": Declared(Scores, "Risk scores of crossings with reasons.", _SCORE_KEY),
    "shipment_selections": Declared(Selections, "Inspection lanes of shipments.", ("score_id",)),
    "crossing_selections": Declared(Selections, "Inspection lanes of crossings.", ("score_id",)),
    "shipment_shadow_scores": Declared(
        ShadowScores, "What the challenger says of shipments that the champion scores.", _SHADOW_KEY
    ),
    "crossing_shadow_scores": Declared(
        ShadowScores, "What the challenger says of crossings that the champion scores.", _SHADOW_KEY
    ),
    "model_decisions": Declared(
        ModelDecisions, "Which version of a model was made champion, by whom and why.", ("decision_id",), ()
    ),
    "model_monitoring": Declared(
        ModelMonitoring,
        "Drift, calibration, precision, base rate and freshness of each model by day, each with what is usual.",
        ("monitored_on", "model_name", "figure", "feature"),
        (),
    ),
    "tiles": Declared(
        Tiles,
        "Daily sums of the feature views, by entity and instant.",
        ("view", "batch_id", "entity", "began_at", "usable_at", "event_at"),
        ("began_on",),
    ),
    "tile_states": Declared(
        TileStates,
        "What the windows of the feature views held at the last midnights.",
        ("view", "batch_id", "entity"),
        ("day",),
    ),
    "tile_marks": Declared(
        TileMarks,
        "Values held, and first and last times, at the last midnights.",
        ("view", "batch_id", "entity", "balance"),
        ("day",),
    ),
    "tile_days": Declared(TileDays, "Days that tiles and states were rolled over.", ("views", "turn"), ()),
    "recalled_scores": Declared(
        RecalledScores, "Scores that were withdrawn: by whom, when and why.", ("score_id",), ()
    ),
    "dispositions": Declared(Dispositions, "Decisions of officers on scores.", ("score_id", "decided_at"), ()),
}
