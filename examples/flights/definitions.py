"""Features for a flight at its scheduled departure: weather, its plane, recent delays of its origin, carrier and route.

Every history counts only what had happened by then: a departure or arrival enters a trailing window one minute after
the minute that the data gives, so that a time of 10:05 is never read before 10:06.
"""

from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, Int64, String
from seaway.features import FeatureProject
from seaway_examples.flights.schema import CATEGORICAL, LABEL, NUMERIC

carrier = Entity(name="carrier", value_type=ValueType.STRING, description="Airline, two-letter code")
origin = Entity(name="origin", value_type=ValueType.STRING, description="Airport of departure, FAA code")
dest = Entity(name="dest", value_type=ValueType.STRING, description="Airport of arrival, FAA code")
plane = Entity(name="tailnum", value_type=ValueType.STRING, description="Tail number of the plane")


def _source(name: str) -> FileSource:
    return FileSource(
        name=name,
        path=f"sources/{name}.parquet",
        timestamp_field="event_timestamp",
        created_timestamp_column="created_timestamp",
    )


def _floats(*names: str) -> list[Field]:
    return [Field(name=name, dtype=Float64) for name in names]


weather = FeatureView(
    name="weather",
    entities=[origin],
    ttl=timedelta(hours=3),
    schema=_floats("temp", "dewp", "wind_speed", "wind_gust", "precip", "pressure", "visib"),
    source=_source("weather"),
    description="Latest hourly observation at the origin",
)
origin_departures = FeatureView(
    name="origin_departures",
    entities=[origin],
    ttl=timedelta(hours=3),
    schema=[
        Field(name="origin_departures_1h", dtype=Int64),
        *_floats("origin_dep_delay_1h", "origin_late_departures_1h"),
    ],
    source=_source("origin_departures"),
    description="Congestion: departures of the last hour from the origin",
)
origin_arrivals = FeatureView(
    name="origin_arrivals",
    entities=[origin],
    ttl=timedelta(hours=6),
    schema=_floats("origin_late_rate_3h"),
    source=_source("origin_arrivals"),
    description="Flights from the origin that landed in the last three hours",
)
carrier_departures = FeatureView(
    name="carrier_departures",
    entities=[carrier],
    ttl=timedelta(hours=6),
    schema=_floats("carrier_dep_delay_3h"),
    source=_source("carrier_departures"),
    description="Departures of the carrier in the last three hours",
)
carrier_arrivals = FeatureView(
    name="carrier_arrivals",
    entities=[carrier],
    ttl=timedelta(days=7),
    schema=_floats("carrier_late_rate_24h", "carrier_late_rate_7d"),
    source=_source("carrier_arrivals"),
    description="The carrier's delay history",
)
route_arrivals = FeatureView(
    name="route_arrivals",
    entities=[origin, dest],
    ttl=timedelta(days=30),
    schema=_floats("route_late_rate_7d", "route_late_rate_30d", "route_arr_delay_30d"),
    source=_source("route_arrivals"),
    description="The route's delay history",
)
planes = FeatureView(
    name="planes",
    entities=[plane],
    ttl=timedelta(days=366),
    schema=[*_floats("plane_age"), Field(name="seats", dtype=Int64), Field(name="engine", dtype=String)],
    source=_source("planes"),
    description="The plane, as registered, by year",
)
VIEWS = (weather, origin_departures, origin_arrivals, carrier_departures, carrier_arrivals, route_arrivals, planes)
arrival_delay = FeatureService(name="arrival_delay", features=list(VIEWS))

EVENTS_SQL = """
CREATE VIEW departures AS
    SELECT origin, carrier, departure + INTERVAL 1 MINUTE AS known, dep_delay, (dep_delay > 15)::INT AS late
    FROM flights WHERE departure IS NOT NULL;
CREATE VIEW arrivals AS
    SELECT origin, dest, carrier, arrival + INTERVAL 1 MINUTE AS known, arr_delay, late
    FROM flights WHERE status = 'arrived';
"""
HISTORIES = {
    "origin_departures": (
        "departures",
        "origin",
        {
            "origin_departures_1h": ("count(*)", "1 HOUR"),
            "origin_dep_delay_1h": ("avg(dep_delay)", "1 HOUR"),
            "origin_late_departures_1h": ("avg(late)", "1 HOUR"),
        },
    ),
    "origin_arrivals": ("arrivals", "origin", {"origin_late_rate_3h": ("avg(late)", "3 HOUR")}),
    "carrier_departures": ("departures", "carrier", {"carrier_dep_delay_3h": ("avg(dep_delay)", "3 HOUR")}),
    "carrier_arrivals": (
        "arrivals",
        "carrier",
        {"carrier_late_rate_24h": ("avg(late)", "24 HOUR"), "carrier_late_rate_7d": ("avg(late)", "7 DAY")},
    ),
    "route_arrivals": (
        "arrivals",
        "origin, dest",
        {
            "route_late_rate_7d": ("avg(late)", "7 DAY"),
            "route_late_rate_30d": ("avg(late)", "30 DAY"),
            "route_arr_delay_30d": ("avg(arr_delay)", "30 DAY"),
        },
    ),
}  # view: (events, join keys, {feature: (aggregate, trailing window)})
WEATHER_SQL = "SELECT *, observed AS event_timestamp, observed AS created_timestamp FROM weather"
PLANES_SQL = """
SELECT tailnum, (season.year - planes.year)::DOUBLE AS plane_age, seats::BIGINT AS seats, engine,
    timezone('America/New_York', make_timestamp(season.year, 1, 1, 0, 0, 0)) AS event_timestamp,
    event_timestamp AS created_timestamp
FROM planes CROSS JOIN (SELECT DISTINCT year(timezone('America/New_York', scheduled_departure)) AS year FROM flights)
    AS season
"""
ENTITY_ROWS_SQL = """
SELECT flight_id, scheduled_departure AS event_timestamp, arrival + INTERVAL 1 MINUTE AS label_timestamp,
    carrier, origin, dest, tailnum, distance, date_diff('minute', scheduled_departure, scheduled_arrival)
        AS scheduled_minutes,
    hour(clock) + minute(clock) / 60 AS departure_hour, dayname(clock) AS weekday, month(clock)::TINYINT AS month, late
FROM (SELECT *, timezone('America/New_York', scheduled_departure) AS clock FROM flights)
WHERE status = 'arrived'  -- a cancelled or diverted flight has no arrival delay
ORDER BY event_timestamp, flight_id
"""


def build_sources(tables: Path, output: Path) -> None:
    """Write one Parquet file a feature view, from the ingested tables."""
    database = _open(tables)
    database.execute(EVENTS_SQL)
    queries = {"weather": WEATHER_SQL, "planes": PLANES_SQL}
    queries |= {name: history_sql(*history) for name, history in HISTORIES.items()}
    for name, sql in queries.items():
        database.sql(sql).write_parquet(str(output / f"{name}.parquet"), compression="zstd")


def history_sql(events: str, keys: str, features: dict[str, tuple[str, str]]) -> str:
    """One row an event time and key: aggregates over the window that ends with it."""
    columns = [
        f"{aggregate} OVER (PARTITION BY {keys} ORDER BY known RANGE BETWEEN INTERVAL {window} PRECEDING"
        f" AND CURRENT ROW) AS {name}"
        for name, (aggregate, window) in features.items()
    ]
    times = "known AS event_timestamp, known AS created_timestamp"
    return f"SELECT DISTINCT {keys}, {times}, {', '.join(columns)} FROM {events}"  # noqa: S608 - all from HISTORIES


def entity_rows(tables: Path) -> pa.Table:
    """The flights that arrived, with what their schedule tells."""
    return _open(tables).sql(ENTITY_ROWS_SQL).to_arrow_table()


def _open(tables: Path) -> duckdb.DuckDBPyConnection:
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    for name in ("flights", "weather", "planes"):
        database.read_parquet(str(tables / f"{name}.parquet")).create_view(name)
    return database


PROJECT = FeatureProject(
    name="flights",
    service=arrival_delay.name,
    objects=(carrier, origin, dest, plane, *VIEWS, arrival_delay),
    build_sources=build_sources,
    entity_rows=entity_rows,
    label=LABEL,
    numeric=tuple(NUMERIC),
    categorical=CATEGORICAL,
    keep=("flight_id", "month"),
)
