"""What the flight tables must be like before anything is learned from them."""

import pandas as pd
from pandera.pandas import Check, Column, DataFrameSchema
from seaway.data import Availability, RuleSet, TableRules
from seaway_examples.flights.schema import CATEGORICAL, NUMERIC

UTC = pd.DatetimeTZDtype("us", "UTC")
ORIGINS = ("EWR", "JFK", "LGA")


def _text(*checks: Check, nullable: bool = False) -> Column:
    return Column(pd.StringDtype(), checks=list(checks), nullable=nullable)


def _number(dtype: str, low: float, high: float, nullable: bool = False) -> Column:
    return Column(dtype, checks=Check.in_range(low, high), nullable=nullable)


def _time(nullable: bool = False) -> Column:
    return Column(UTC, nullable=nullable)


flights = DataFrameSchema(
    {
        "flight_id": _text(),
        "carrier": _text(Check.str_matches(r"^[A-Z0-9]{2}$")),
        "tailnum": _text(nullable=True),
        "origin": _text(Check.isin(ORIGINS)),
        "dest": _text(Check.str_matches(r"^[A-Z0-9]{3}$")),
        "distance": _number("Int32", 1, 6000),  # miles
        "scheduled_departure": _time(),
        "scheduled_arrival": _time(),
        "departure": _time(nullable=True),
        "arrival": _time(nullable=True),
        "dep_delay": _number("Int32", -60, 1440, nullable=True),  # minutes
        "arr_delay": _number("Int32", -120, 1440, nullable=True),  # minutes
        "air_time": _number("Int32", 10, 800, nullable=True),  # minutes
        "status": _text(Check.isin(("arrived", "cancelled", "diverted"))),
        "late": _number("Int8", 0, 1, nullable=True),
    },
    checks=[
        Check(
            lambda rows: rows["late"].notna() == (rows["status"] == "arrived"),
            name="a flight has a label exactly when it arrived",
            error="a flight has a label exactly when it arrived",
        )
    ],
)
weather = DataFrameSchema(
    {
        "origin": _text(Check.isin(ORIGINS)),
        "observed": _time(),
        "temp": _number("Float64", -30, 120, nullable=True),  # degrees Fahrenheit
        "dewp": _number("Float64", -50, 100, nullable=True),  # degrees Fahrenheit
        "wind_speed": _number("Float64", 0, 254, nullable=True),  # mph
        "wind_gust": _number("Float64", 0, 254, nullable=True),  # mph
        "precip": _number("Float64", 0, 12, nullable=True),  # inches an hour
        "pressure": _number("Float64", 900, 1100, nullable=True),  # millibars
        "visib": _number("Float64", 0, 10, nullable=True),  # miles
    }
)
planes = DataFrameSchema(
    {
        "tailnum": _text(),
        "year": _number("Int32", 1950, 2013, nullable=True),
        "seats": _number("Int32", 1, 900),
        "engine": _text(),
    }
)
airports = DataFrameSchema(
    {
        "faa": _text(),
        "lat": _number("Float64", -90, 90),
        "lon": _number("Float64", -180, 180),
        "tzone": _text(nullable=True),
    }
)

RULES = RuleSet(
    tables={
        "flights": TableRules(
            flights,
            key=("flight_id",),
            ordered=(("scheduled_departure", "scheduled_arrival"), ("departure", "arrival")),
        ),
        "weather": TableRules(weather, key=("origin", "observed")),
        "planes": TableRules(planes, key=("tailnum",)),
        "airports": TableRules(airports, key=("faa",)),
    },
    availability=(
        Availability(
            table="flights",
            at="scheduled departure",
            known_later=("departure", "arrival", "dep_delay", "arr_delay", "air_time", "status", "late"),
            inputs=(*NUMERIC, *CATEGORICAL),
        ),
    ),
)
