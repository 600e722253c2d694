"""Surveillance: sightings of vehicles by plate, positions of vessels by AIS, detections of unattended sensors."""

from datetime import timedelta

import dataframely as dy
import polars as pl

from warehouse.contracts import codes
from warehouse.contracts.base import Consistency, Contract, Observed, Purpose, Sensitivity, coded, facts

OWNER = "border surveillance authority"
DEGREES = facts(unit="degree, WGS 84")
SHARE = facts(unit="probability")
AIS_CODE = facts(unit="code", standard="ITU-R M.1371-5")


class VehicleSightings(Observed):
    """One reading of a number plate by a fixed camera. `known_at` is its receipt."""

    sighting_id = dy.String(min_length=1, max_length=64, description="Reference of the reading.")
    camera_id = dy.String(min_length=1, max_length=32, description="Camera.")
    site = dy.String(min_length=1, max_length=32, description="Crossing point or road sector of the camera.")
    vehicle_plate = dy.String(
        max_length=20,
        min_length=1,
        description="Number plate as read.",
        metadata=facts(identifies="vehicle", sensitivity=Sensitivity.PERSONAL),
    )
    plate_country = dy.String(
        nullable=True,
        regex=r"^[A-Z]{1,3}$",
        description="Country of the plate, as its distinguishing sign or ISO 3166-1 code.",
        metadata=facts(standard="distinguishing sign of vehicles, or ISO 3166-1"),
    )
    read_confidence = dy.Float64(nullable=True, min=0, max=1, description="Confidence of the reading.", metadata=SHARE)
    latitude = dy.Float64(nullable=True, min=-90, max=90, description="Latitude.", metadata=DEGREES)
    longitude = dy.Float64(nullable=True, min=-180, max=180, description="Longitude.", metadata=DEGREES)
    heading_deg = dy.Float64(nullable=True, min=0, max=360, description="Heading.", metadata=facts(unit="degree"))

    @dy.rule()
    def position_is_whole(cls) -> pl.Expr:
        """A latitude comes with its longitude."""
        return pl.col("latitude").is_null() == pl.col("longitude").is_null()


class VesselPositions(Observed):
    """One AIS message (ITU-R M.1371): a position, or static and voyage data of a vessel."""

    message_id = dy.String(min_length=1, max_length=200, description="MMSI, time and payload: no two alike.")
    message_type = dy.Int32(min=1, max=28, description="AIS message type.", metadata=AIS_CODE)
    mmsi = dy.Int64(
        min=0,
        max=999_999_999,
        description="Maritime Mobile Service Identity.",
        metadata=facts(
            unit="identifier", identifies="vessel", sensitivity=Sensitivity.COMMERCIAL, standard="ITU-R M.585"
        ),
    )
    imo_number = dy.String(
        nullable=True,
        max_length=10,
        description="IMO number as transmitted.",
        metadata=facts(identifies="vessel", sensitivity=Sensitivity.COMMERCIAL),
    )
    vessel_name = dy.String(
        nullable=True,
        max_length=34,
        description="Name as transmitted.",
        metadata=facts(sensitivity=Sensitivity.COMMERCIAL),
    )
    call_sign = dy.String(nullable=True, max_length=10, description="Call sign.")
    ship_type = dy.Int32(nullable=True, min=0, max=255, description="AIS ship type.", metadata=AIS_CODE)
    nav_status = dy.Int32(
        nullable=True,
        min=0,
        max=15,
        description="Navigational status.",
        metadata=facts(unit="code", code_list=codes.NAVIGATION),
    )
    latitude = dy.Float64(nullable=True, min=-90, max=90, description="Latitude.", metadata=DEGREES)
    longitude = dy.Float64(nullable=True, min=-180, max=180, description="Longitude.", metadata=DEGREES)
    speed_knots = dy.Float64(
        nullable=True, min=0, max=103, description="Speed over ground.", metadata=facts(unit="knot")
    )
    course_deg = dy.Float64(
        nullable=True, min=0, max=360, description="Course over ground.", metadata=facts(unit="degree")
    )
    heading_deg = dy.Int32(nullable=True, min=0, max=359, description="True heading.", metadata=facts(unit="degree"))
    draught_m = dy.Float64(nullable=True, min=0, max=25.5, description="Draught.", metadata=facts(unit="m"))
    destination = dy.String(nullable=True, max_length=20, description="Destination as transmitted.")
    station = dy.String(nullable=True, max_length=32, description="Receiving station.")


class Detections(Observed):
    """Something noticed by a sensor that identifies nobody: a radar plot, a thermal image, steps in the ground."""

    detection_id = dy.String(min_length=1, max_length=64, description="Reference of the detection.")
    sensor_id = dy.String(min_length=1, max_length=32, description="Sensor.")
    sensor_type = coded(codes.SENSORS, "Kind of sensor.")
    latitude = dy.Float64(min=-90, max=90, description="Latitude.", metadata=DEGREES)
    longitude = dy.Float64(min=-180, max=180, description="Longitude.", metadata=DEGREES)
    classification = coded(codes.DETECTED, "What the sensor takes it for.")
    confidence = dy.Float64(
        nullable=True, min=0, max=1, description="Confidence of the classification.", metadata=SHARE
    )
    speed_knots = dy.Float64(nullable=True, min=0, max=200, description="Speed.", metadata=facts(unit="knot"))


VEHICLE_SIGHTINGS = Contract(
    name="surveillance.vehicle_sightings",
    version=2,
    title="Number plate readings",
    schema=VehicleSightings,
    key=("sighting_id",),
    subject="sighting",
    owner=OWNER,
    purposes=frozenset({Purpose.BORDER_SURVEILLANCE, Purpose.CUSTOMS_RISK, Purpose.BORDER_CHECK}),
    cadence=timedelta(days=1),
    floor=1,
    ceiling=50_000_000,
    retention_days=365,
    consistencies=(
        Consistency(
            "one_camera_one_site",
            by=("camera_id",),
            agree=("site",),
            description="A camera stands at one site.",
        ),
    ),
)

VESSEL_POSITIONS = Contract(
    name="surveillance.vessel_positions",
    version=2,
    title="Vessel positions (AIS)",
    schema=VesselPositions,
    key=("message_id",),
    subject="AIS message",
    owner=OWNER,
    purposes=frozenset({Purpose.BORDER_SURVEILLANCE, Purpose.CUSTOMS_RISK}),
    cadence=timedelta(days=1),
    floor=1,
    ceiling=200_000_000,
    retention_days=1_095,
    consistencies=(),
)

DETECTIONS = Contract(
    name="surveillance.detections",
    version=2,
    title="Detections of unattended sensors",
    schema=Detections,
    key=("detection_id",),
    subject="detection",
    owner=OWNER,
    purposes=frozenset({Purpose.BORDER_SURVEILLANCE, Purpose.CUSTOMS_RISK, Purpose.BORDER_CHECK}),
    cadence=timedelta(days=1),
    floor=1,
    ceiling=50_000_000,
    retention_days=365,
    consistencies=(
        Consistency(
            "one_sensor_one_kind",
            by=("sensor_id",),
            agree=("sensor_type",),
            description="A sensor is of one kind.",
        ),
    ),
)
