"""Surveillance: sightings of vehicles by plate, positions of vessels by AIS, detections of unattended sensors."""

from datetime import timedelta

import dataframely as dy

from warehouse.contracts.base import Contract, Event, Purpose, Sensitivity, facts

DEGREES = facts(unit="degree, WGS 84")
SENSORS = ("radar", "camera", "ground_sensor", "drone")
DETECTED = ("person", "vehicle", "vessel", "animal", "steps", "unknown")


class VehicleSightings(Event):
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
    plate_country = dy.String(nullable=True, max_length=3, description="Country of the plate.")
    read_confidence = dy.Float64(nullable=True, min=0, max=1, description="Confidence of the reading.")
    latitude = dy.Float64(nullable=True, min=-90, max=90, description="Latitude.", metadata=DEGREES)
    longitude = dy.Float64(nullable=True, min=-180, max=180, description="Longitude.", metadata=DEGREES)
    heading_deg = dy.Float64(nullable=True, min=0, max=360, description="Heading.", metadata=facts(unit="degree"))


class VesselPositions(Event):
    """One AIS message (ITU-R M.1371): a position, or static and voyage data of a vessel."""

    message_id = dy.String(min_length=1, max_length=200, description="MMSI, time and payload: no two alike.")
    message_type = dy.Int32(min=1, max=28, description="AIS message type.")
    mmsi = dy.Int64(
        min=0,
        max=999_999_999,
        description="Maritime Mobile Service Identity.",
        metadata=facts(identifies="vessel", sensitivity=Sensitivity.COMMERCIAL),
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
    ship_type = dy.Int32(nullable=True, min=0, max=255, description="AIS ship type.")
    nav_status = dy.Int32(nullable=True, min=0, max=15, description="Navigational status.")
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


class Detections(Event):
    """Something noticed by a sensor that identifies nobody: a radar plot, a thermal image, steps in the ground."""

    detection_id = dy.String(min_length=1, max_length=64, description="Reference of the detection.")
    sensor_id = dy.String(min_length=1, max_length=32, description="Sensor.")
    sensor_type = dy.String(check=lambda e: e.is_in(SENSORS), description="Kind of sensor.")
    latitude = dy.Float64(min=-90, max=90, description="Latitude.", metadata=DEGREES)
    longitude = dy.Float64(min=-180, max=180, description="Longitude.", metadata=DEGREES)
    classification = dy.String(check=lambda e: e.is_in(DETECTED), description="What the sensor takes it for.")
    confidence = dy.Float64(nullable=True, min=0, max=1, description="Confidence of the classification.")
    speed_knots = dy.Float64(nullable=True, min=0, max=200, description="Speed.", metadata=facts(unit="knot"))


VEHICLE_SIGHTINGS = Contract(
    name="surveillance.vehicle_sightings",
    version=1,
    title="Number plate readings",
    schema=VehicleSightings,
    key=("sighting_id",),
    subject="sighting",
    purposes=frozenset({Purpose.BORDER_SURVEILLANCE, Purpose.CUSTOMS_RISK, Purpose.BORDER_CHECK}),
    cadence=timedelta(days=1),
    floor=1,
    retention_days=365,
)

VESSEL_POSITIONS = Contract(
    name="surveillance.vessel_positions",
    version=1,
    title="Vessel positions (AIS)",
    schema=VesselPositions,
    key=("message_id",),
    subject="AIS message",
    purposes=frozenset({Purpose.BORDER_SURVEILLANCE, Purpose.CUSTOMS_RISK}),
    cadence=timedelta(days=1),
    floor=1,
    retention_days=1_095,
)

DETECTIONS = Contract(
    name="surveillance.detections",
    version=1,
    title="Detections of unattended sensors",
    schema=Detections,
    key=("detection_id",),
    subject="detection",
    purposes=frozenset({Purpose.BORDER_SURVEILLANCE, Purpose.CUSTOMS_RISK, Purpose.BORDER_CHECK}),
    cadence=timedelta(days=1),
    floor=1,
    retention_days=365,
)
