"""Customs: declarations at the grain of a goods item, their withdrawal, their inspection, and manifests of vessels."""

from datetime import timedelta

import dataframely as dy
import polars as pl

from warehouse.contracts import codes
from warehouse.contracts.base import Consistency, Contract, Event, Observed, Purpose, Sensitivity, coded, facts

COMMERCIAL = Sensitivity.COMMERCIAL
PERSONAL = Sensitivity.PERSONAL
OWNER = "customs administration"
ORDINAL = facts(unit="ordinal number")
MOST_MONEY = 1_000_000_000_000_000
"""Of any currency; a ship's cargo in the smallest of them."""


class Declarations(Observed):
    """One goods item of an import or export declaration (WCO Data Model: GovernmentAgencyGoodsItem)."""

    declaration_id = dy.String(min_length=1, max_length=64, description="Declaration number of the office.")
    goods_item_number = dy.Int32(
        min=1, max=99_999, description="Number of the item within its declaration.", metadata=ORDINAL
    )
    declaration_type = coded(codes.DECLARATION_TYPES, "IM import or EX export, SAD box 1.")
    consignment_id = dy.String(nullable=True, max_length=64, description="Transport document or consignment.")
    office = dy.String(min_length=1, max_length=17, description="Customs office of entry.")
    procedure = dy.String(nullable=True, max_length=8, description="Customs procedure or process type.")
    transport_mode = coded(codes.TRANSPORT_MODES, "Mode of transport at the border, UN/ECE Recommendation 19.")
    importer_id = dy.String(
        nullable=True,
        max_length=35,
        description="Importer's registration number.",
        metadata=facts(identifies="organisation", sensitivity=COMMERCIAL),
    )
    importer_name = dy.String(
        nullable=True,
        max_length=256,
        description="Importer's name; a sole trader's is a person's.",
        metadata=facts(sensitivity=PERSONAL),
    )
    declarant_id = dy.String(
        nullable=True,
        max_length=35,
        description="Declarant's (broker's) registration number.",
        metadata=facts(identifies="organisation", sensitivity=COMMERCIAL),
    )
    trader_status = coded(
        codes.TRADER_STATUSES,
        "AEO where the trader is an authorised economic operator (WCO SAFE), else empty.",
        nullable=True,
    )
    seller_id = dy.String(
        nullable=True,
        max_length=35,
        description="Seller's identifier.",
        metadata=facts(identifies="organisation", sensitivity=COMMERCIAL),
    )
    carrier_id = dy.String(
        nullable=True,
        max_length=35,
        description="Carrier or courier.",
        metadata=facts(identifies="organisation", sensitivity=COMMERCIAL),
    )
    vehicle_plate = dy.String(
        nullable=True,
        max_length=20,
        description="Registration of the road vehicle that brings the goods.",
        metadata=facts(identifies="vehicle", sensitivity=PERSONAL),
    )
    vessel_imo = dy.String(
        nullable=True,
        regex=codes.IMO_NUMBER,
        description="IMO number of the vessel that brings the goods.",
        metadata=facts(identifies="vessel", sensitivity=COMMERCIAL, standard=codes.IMO),
    )
    flight_number = dy.String(nullable=True, max_length=10, description="Flight that brings the goods.")
    hs_code = dy.String(
        regex=codes.HS_SUBHEADING,
        description="Harmonized System subheading, six digits, of a chapter that exists.",
        metadata=facts(standard=codes.HARMONIZED_SYSTEM),
    )
    country_of_origin = coded(codes.COUNTRIES, "ISO 3166-1 alpha-2.")
    country_of_dispatch = coded(codes.COUNTRIES, "ISO 3166-1 alpha-2.", nullable=True)
    duty_rate_pct = dy.Float64(
        nullable=True, min=0, max=1_000, description="Rate of duty declared.", metadata=facts(unit="%")
    )
    duty_regime = dy.String(nullable=True, max_length=12, description="Tariff or tax type applied.")
    origin_indicator = dy.String(nullable=True, max_length=4, description="How the origin is marked or proven.")
    import_type = dy.String(nullable=True, max_length=8, description="Type of import transaction.")
    import_use = dy.String(nullable=True, max_length=8, description="Declared use of the goods.")
    payment_type = dy.String(nullable=True, max_length=8, description="Terms of payment.")
    net_mass_kg = dy.Decimal(16, 3, min=0, max=1_000_000_000, description="Net mass.", metadata=facts(unit="kg"))
    gross_mass_kg = dy.Decimal(
        16, 3, nullable=True, min=0, max=1_000_000_000, description="Gross mass.", metadata=facts(unit="kg")
    )
    packages = dy.Int32(
        nullable=True, min=0, max=1_000_000, description="Number of packages.", metadata=facts(unit="packages")
    )
    item_value = dy.Decimal(
        20,
        4,
        min=0,
        max=MOST_MONEY,
        description="Declared value of the item, in `currency`.",
        metadata=facts(unit="of `currency`", sensitivity=COMMERCIAL),
    )
    currency = coded(codes.CURRENCIES, "ISO 4217.")
    goods_description = dy.String(nullable=True, max_length=512, description="Declared description of the goods.")

    @dy.rule()
    def gross_mass_not_below_net(cls) -> pl.Expr:
        """Packaging never weighs less than nothing."""
        return pl.col("gross_mass_kg").is_null() | (pl.col("gross_mass_kg") >= pl.col("net_mass_kg"))


class Inspections(Observed):
    """The result of examining one goods item. `event_at` is the examination, `known_at` the report."""

    declaration_id = dy.String(min_length=1, max_length=64, description="Declaration examined.")
    goods_item_number = dy.Int32(min=1, max=99_999, description="Item examined.", metadata=ORDINAL)
    selection = coded(codes.SELECTIONS, "What made the office examine it.")
    selection_probability = dy.Float64(
        nullable=True,
        min=0,
        max=1,
        description="Chance that this item was selected, where it was drawn at random.",
        metadata=facts(unit="probability"),
    )
    is_irregular = dy.Bool(description="Whether anything irregular was found.")
    infringement = coded(codes.INFRINGEMENTS, "Kind of irregularity.", nullable=True)
    additional_duty = dy.Decimal(
        20,
        4,
        nullable=True,
        min=0,
        max=MOST_MONEY,
        description="Duty recovered, in `currency`.",
        metadata=facts(unit="of `currency`"),
    )
    currency = coded(codes.CURRENCIES, "ISO 4217.", nullable=True)
    officer_id = dy.String(
        nullable=True,
        max_length=35,
        description="Examining officer.",
        metadata=facts(identifies="officer", sensitivity=PERSONAL),
    )

    @dy.rule()
    def infringement_only_where_irregular(cls) -> pl.Expr:
        """A kind of irregularity is named only where one was found."""
        return pl.col("infringement").is_null() | pl.col("is_irregular")

    @dy.rule()
    def duty_has_currency(cls) -> pl.Expr:
        """An amount comes with its currency."""
        return pl.col("additional_duty").is_null() | pl.col("currency").is_not_null()


class Withdrawals(Observed):
    """One goods item taken back by its declarant. `event_at` is the withdrawal."""

    declaration_id = dy.String(min_length=1, max_length=64, description="Declaration withdrawn.")
    goods_item_number = dy.Int32(min=1, max=99_999, description="Item withdrawn.", metadata=ORDINAL)


class Manifests(Event):
    """One consignment of a vessel's call, as its carrier reports it (WCO cargo report, UN/EDIFACT CUSCAR).

    `event_at` is the arrival at the port of discharge, `known_at` when the message was sent.
    """

    manifest_id = dy.String(min_length=1, max_length=70, description="Number of the cargo report.")
    consignment_id = dy.String(min_length=1, max_length=64, description="Transport document of the consignment.")
    office = dy.String(regex=codes.LOCATION, description="Port of discharge.", metadata=facts(standard=codes.UN_LOCODE))
    vessel_imo = dy.String(
        nullable=True,
        regex=codes.IMO_NUMBER,
        description="IMO number of the vessel.",
        metadata=facts(identifies="vessel", sensitivity=COMMERCIAL, standard=codes.IMO),
    )
    vessel_name = dy.String(
        nullable=True, max_length=70, description="Name of the vessel.", metadata=facts(sensitivity=COMMERCIAL)
    )
    voyage_number = dy.String(nullable=True, max_length=17, description="Voyage, in the carrier's numbering.")
    carrier_id = dy.String(
        nullable=True,
        max_length=35,
        description="Carrier that reports the cargo.",
        metadata=facts(identifies="organisation", sensitivity=COMMERCIAL),
    )
    country_of_dispatch = coded(codes.COUNTRIES, "ISO 3166-1 alpha-2.", nullable=True)
    consignor_id = dy.String(
        nullable=True,
        max_length=35,
        description="Consignor's identifier; a declaration's seller has the same.",
        metadata=facts(identifies="organisation", sensitivity=COMMERCIAL),
    )
    consignee_id = dy.String(
        nullable=True,
        max_length=35,
        description="Consignee's registration number; a declaration's importer has the same.",
        metadata=facts(identifies="organisation", sensitivity=COMMERCIAL),
    )
    packages = dy.Int32(
        nullable=True, min=0, max=1_000_000, description="Number of packages.", metadata=facts(unit="packages")
    )
    gross_mass_kg = dy.Decimal(
        16, 3, nullable=True, min=0, max=1_000_000_000, description="Gross mass.", metadata=facts(unit="kg")
    )
    goods_description = dy.String(nullable=True, max_length=512, description="Description of the goods.")


DECLARATIONS = Contract(
    name="customs.declarations",
    # 2: `declaration_type` tells exports from imports; `trader_status`. 3: ranges of times and amounts, HS chapters.
    version=3,
    title="Goods declarations",
    schema=Declarations,
    key=("declaration_id", "goods_item_number"),
    subject="goods item",
    owner=OWNER,
    purposes=frozenset({Purpose.CUSTOMS_RISK, Purpose.BORDER_CHECK, Purpose.BORDER_SURVEILLANCE}),
    cadence=timedelta(days=1),
    floor=1,
    ceiling=20_000_000,
    retention_days=3_650,
    consistencies=(
        Consistency(
            "one_declaration_one_header",
            by=("declaration_id",),
            agree=("declaration_type", "office", "transport_mode"),
            description="Items of one declaration were lodged at one office, for one direction and mode of transport.",
        ),
    ),
)

INSPECTIONS = Contract(
    name="customs.inspections",
    version=2,
    title="Inspections of declared goods",
    schema=Inspections,
    key=("declaration_id", "goods_item_number"),
    subject="inspection",
    owner=OWNER,
    purposes=frozenset({Purpose.CUSTOMS_RISK, Purpose.BORDER_CHECK}),
    cadence=timedelta(days=1),
    floor=0,
    ceiling=2_000_000,
    retention_days=3_650,
    consistencies=(),
)

WITHDRAWALS = Contract(
    name="customs.withdrawals",
    version=2,
    title="Withdrawals of declared goods",
    schema=Withdrawals,
    # An item may be lodged again and withdrawn again.
    key=("declaration_id", "goods_item_number", "event_at"),
    subject="withdrawal",
    owner=OWNER,
    purposes=frozenset({Purpose.CUSTOMS_RISK, Purpose.BORDER_CHECK, Purpose.BORDER_SURVEILLANCE}),
    cadence=timedelta(days=1),
    floor=0,
    ceiling=2_000_000,
    retention_days=3_650,
    consistencies=(),
)

MANIFESTS = Contract(
    name="customs.manifests",
    version=2,
    title="Sea cargo manifests",
    schema=Manifests,
    key=("manifest_id", "consignment_id"),
    subject="consignment",
    owner=OWNER,
    purposes=frozenset({Purpose.CUSTOMS_RISK, Purpose.BORDER_SURVEILLANCE}),
    cadence=timedelta(days=1),
    # A port may have days without a vessel.
    floor=0,
    ceiling=5_000_000,
    # As long as the declarations that they are compared with.
    retention_days=3_650,
    consistencies=(
        Consistency(
            "one_manifest_one_voyage",
            by=("manifest_id",),
            agree=("vessel_imo", "voyage_number"),
            description="Consignments of one cargo report come with one vessel on one voyage.",
        ),
    ),
)
