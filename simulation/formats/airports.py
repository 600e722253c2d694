"""IATA codes of the airports that flights come from, by ISO 3166 alpha-3 code; Norvale's and Ostrand's are invented."""

from __future__ import annotations

HOME_AIRPORT = "XNV"
_PAIRS = (
    "DEU:FRA AUT:VIE ITA:FCO FRA:CDG GBR:LHR NLD:AMS POL:WAW TUR:IST ROU:OTP EGY:CAI MAR:CMN TUN:TUN GRC:ATH ESP:MAD "
    "XOS:XOA IND:DEL LBN:BEY UKR:KBP SRB:BEG ALB:TIA CHN:PEK KEN:NBO NGA:LOS USA:JFK DZA:ALG CZE:PRG"
)
AIRPORTS = dict(pair.split(":") for pair in _PAIRS.split())
