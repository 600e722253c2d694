"""Shapes of the tables from landing to silver: what each layer adds to a contract's columns.

Which tables there are is `warehouse.catalog`; gold tables have their shapes in `warehouse.gold`.
"""

import dataframely as dy

from warehouse.contracts.base import Event


class Envelope(dy.Schema):
    """What landing adds to each row of a contract."""

    event_id = dy.String(description="Hash of jurisdiction, agency, dataset and natural key (ADR 0004).")
    source_agency = dy.String(description="Agency that delivered the row.")
    jurisdiction = dy.String(description="ISO 3166-1 code of the country or bloc whose agency it is.")
    landed_at = dy.Datetime(time_unit="us", time_zone="UTC", description="When the row was written here.")
    received_on = dy.Date(description="Day of delivery: the extract's own date, or the day it landed.")
    batch_id = dy.String(description="Delivery: content hash, dialect and its version.")
    source_line = dy.Int64(description="Line (or record) of the file, from 1.")


class Quarantine(dy.Schema):
    """A refused row with everything needed to mend it."""

    batch_id = dy.String(description="Delivery the row came in.")
    source_agency = dy.String(description="Agency that delivered the row.")
    jurisdiction = dy.String(description="Jurisdiction of that agency.")
    received_on = dy.Date(description="Day of delivery.")
    file_name = dy.String(description="File as the agency named it.")
    source_line = dy.Int64(description="Line (or record) of the file, from 1; 0 is the whole file.")
    raw = dy.String(nullable=True, description="The row as received.")
    rules = dy.List(dy.String(), description="Rules it breaks.")
    messages = dy.List(dy.String(), description="What each rule asks for.")
    refused_at = dy.Datetime(time_unit="us", time_zone="UTC", description="When it was refused.")


class Landings(dy.Schema):
    """One row a delivery and contract: every record accounted for."""

    batch_id = dy.String(description="Content hash, dialect and its version, hashed.")
    contract = dy.String(description="Contract the rows were checked against.")
    contract_version = dy.Int32(description="Its version.")
    source_agency = dy.String(description="Agency that delivered.")
    jurisdiction = dy.String(description="Its jurisdiction.")
    dataset = dy.String(description="Dataset as delivered.")
    dialect = dy.String(description="Dialect the file was read under.")
    dialect_version = dy.Int32(description="Its version.")
    file_name = dy.String(description="File as the agency named it.")
    file_bytes = dy.Int64(description="Size of the file.")
    sha256 = dy.String(description="Hash of the file's bytes.")
    declared_rows = dy.Int64(nullable=True, description="Rows the sidecar declares.")
    rows_read = dy.Int64(description="Records that concern this contract: landed + refused.")
    rows_landed = dy.Int64(description="Rows in bronze.")
    rows_refused = dy.Int64(description="Rows in quarantine.")
    rows_set_aside = dy.Int64(description="Records that carry no event of this contract, as the dialect says.")
    refused_by_rule = dy.String(description="JSON: rule -> rows.")
    let_pass_by_rule = dy.String(
        nullable=True,
        description="JSON: rule -> how often it was broken and let pass, as the dialect asks.",
    )
    parts = dy.String(
        nullable=True,
        description="JSON: messages that are one of several of a report, each with its sender and the reference of the "
        "whole, when it was made, its number, and C or F where it is the first or the last.",
    )
    columns_unmapped = dy.List(
        dy.String(),
        nullable=True,
        description="Columns of the file that its dialect names nowhere, a new one among them; their values are in the "
        "archived file. Null where a format has columns of its own, or the file was refused as a whole.",
    )
    status = dy.String(description="landed, or refused as a whole.")
    reason = dy.String(nullable=True, description="Why the file was refused as a whole.")
    supersedes = dy.String(nullable=True, description="Batch of the same file read under another dialect, now void.")
    archived_as = dy.String(
        nullable=True,
        description="Where the archive keeps the file, unless an erasure has removed it since. Null where it is not "
        "kept: it came from outside the inbox.",
    )
    kept_by = dy.String(
        nullable=True, description="Home whose archive that is; a lake may have several. Null: whichever looks for it."
    )
    received_on = dy.Date(description="Day of delivery.")
    landed_at = dy.Datetime(time_unit="us", time_zone="UTC", description="When the batch was written.")


class Erasures(dy.Schema):
    """One row an erasure and store that it changed; who was erased stands here as a keyed digest only."""

    erasure_id = dy.String(description="The erasure.")
    subject_kind = dy.String(description="document, person, vehicle, organisation, officer or text.")
    subject_digest = dy.String(description="Keyed digest of the subject's value, of no use as an id.")
    requested_by = dy.String(description="Who asked for it.")
    reason = dy.String(description="On what ground.")
    erased_at = dy.Datetime(time_unit="us", time_zone="UTC", description="When it was done.")
    store = dy.String(description="Table, inbox, archive or _damaged.")
    rows = dy.Int64(description="Rows or records changed; of whole files, files.")
    batch_id = dy.String(nullable=True, description="Delivery whose archived file was redacted.")
    old_sha256 = dy.String(nullable=True, description="Hash of the file before.")
    new_sha256 = dy.String(nullable=True, description="Hash of the redacted file; null: it was removed.")


class SilverEvent(Event):
    """What every silver event carries. All versions are kept: as of T means known_at <= T < superseded_at."""

    event_id = dy.String(description="Id of the event.")
    event_version = dy.Int64(description="Version: microseconds of its `known_at` since 1970, made unique.")
    superseded_at = dy.Datetime(
        nullable=True, time_unit="us", time_zone="UTC", description="When a correction replaced it; null: current."
    )
    source_agency = dy.String(description="Agency that delivered it.")
    jurisdiction = dy.String(description="Its jurisdiction.")
    received_on = dy.Date(description="Day of delivery.")
    event_date = dy.Date(description="UTC day of `event_at`.")
    event_local_at = dy.Datetime(time_unit="us", description="`event_at` on the clock of the office.")
    row_hash = dy.String(description="Keyed id of all but `known_at`: tells a correction from a repeat.")
    batch_id = dy.String(description="Delivery it came in.")


def _keyed(kind: str, role: str) -> dy.Column:
    return dy.String(nullable=True, description=f"Keyed id of the {role} ({kind}).")


class ShipmentIds(dy.Schema):
    """Keyed ids of a shipment's parties and means of transport."""

    importer_id = _keyed("organisation", "importer")
    declarant_id = _keyed("organisation", "declarant")
    seller_id = _keyed("organisation", "seller")
    carrier_id = _keyed("organisation", "carrier")
    vehicle_id = _keyed("vehicle", "road vehicle")
    vessel_id = _keyed("vessel", "vessel")
    withdrawn_at = dy.Datetime(
        nullable=True, time_unit="us", time_zone="UTC", description="When its declarant took it back; null: it stands."
    )


class ManifestIds(dy.Schema):
    """Keyed ids of a consignment's parties; the consignor is a shipment's seller, the consignee its importer."""

    consignor_id = _keyed("organisation", "consignor")
    consignee_id = _keyed("organisation", "consignee")
    carrier_id = _keyed("organisation", "carrier")
    vessel_id = _keyed("vessel", "vessel")


class TravellerIds(dy.Schema):
    """Keyed ids of someone who is announced or booked on a flight."""

    traveller_id = _keyed("person", "traveller")
    document_id = _keyed("document", "travel document")


class CrossingIds(dy.Schema):
    """Keyed ids of a crossing."""

    traveller_id = _keyed("person", "traveller")
    document_id = _keyed("document", "travel document")
    vehicle_id = _keyed("vehicle", "vehicle crossed in")
    stay_days = dy.Int32(nullable=True, description="Days of authorised stay from the crossing.")


class Tracks(SilverEvent):
    """One observation of a vehicle or vessel."""

    object_kind = dy.String(description="vehicle or vessel.")
    object_id = dy.String(nullable=True, description="Keyed id of what was observed.")
    site = dy.String(nullable=True, description="Camera site or receiving station.")
    latitude = dy.Float64(nullable=True, description="Degrees, WGS 84.")
    longitude = dy.Float64(nullable=True, description="Degrees, WGS 84.")
    speed_knots = dy.Float64(nullable=True, description="Speed over ground, knots.")
    nav_status = dy.Int32(nullable=True, description="AIS navigational status.")
    message_type = dy.Int32(nullable=True, description="AIS message type.")
    imo_id = dy.String(nullable=True, description="Keyed id of the IMO number sent along, in static messages.")


class DetectionPlace(dy.Schema):
    """Where something was noticed."""

    area = dy.String(nullable=True, description="Border point nearest to it, within 75 km.")


class OutcomeColumns(SilverEvent):
    """What was found about a shipment or crossing; counts from its own `known_at`."""

    subject_kind = dy.String(description="shipment or crossing.")
    subject_id = dy.String(description="`event_id` of what was examined.")
    is_adverse = dy.Bool(description="Whether the outcome was adverse.")
    finding = dy.String(nullable=True, description="Kind of adverse outcome.")
    selection = dy.String(description="What made the officers look: rule, random, intelligence, all.")
    selection_probability = dy.Float64(nullable=True, description="Chance of selection, where drawn at random.")
    additional_duty = dy.Decimal(20, 4, nullable=True, description="Duty recovered, in `currency`.")
    currency = dy.String(nullable=True, description="ISO 4217.")


class EntityLinks(dy.Schema):
    """Which source identity is which entity; append-only, each link counts from its `known_at`."""

    entity_kind = dy.String(description="organisation, person, document, vehicle or vessel.")
    source_agency = dy.String(description="Agency whose identity it is.")
    source_id = dy.String(description="Keyed id as the agency knows it.")
    entity_id = dy.String(description="Entity it belongs to.")
    method = dy.String(description="exact: same key; ais-static: the vessel's own MMSI and IMO number.")
    confidence = dy.Float64(description="0 to 1.")
    known_at = dy.Datetime(time_unit="us", time_zone="UTC", description="From when the link may be used.")


class Identities(dy.Schema):
    """The way back from a keyed id; only the vault holds it."""

    entity_kind = dy.String(description="Entity kind.")
    source_id = dy.String(description="Keyed id.")
    identity = dy.String(description="Normalised identifying value.")
