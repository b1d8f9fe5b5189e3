"""What the model reads, with units; light enough to import anywhere."""

TASK = "binary"
LABEL = "late"  # arrives more than 15 minutes after its schedule
NUMERIC = {
    "distance": "mi",
    "scheduled_minutes": "min",
    "departure_hour": "h",
    "temp": "degF",
    "dewp": "degF",
    "wind_speed": "mi/h",
    "wind_gust": "mi/h",
    "precip": "in",
    "pressure": "mbar",
    "visib": "mi",
    "origin_departures_1h": "flights",
    "origin_dep_delay_1h": "min",
    "origin_late_departures_1h": "1",
    "origin_late_rate_3h": "1",
    "carrier_dep_delay_3h": "min",
    "carrier_late_rate_24h": "1",
    "carrier_late_rate_7d": "1",
    "route_late_rate_7d": "1",
    "route_late_rate_30d": "1",
    "route_arr_delay_30d": "min",
    "plane_age": "a",
    "seats": "1",
}
CATEGORICAL = ("carrier", "origin", "dest", "weekday", "engine")
UNITS = NUMERIC | dict.fromkeys(CATEGORICAL, "1")
FEATURES = {"numeric": list(NUMERIC), "categorical": list(CATEGORICAL), "label": LABEL}
SOURCE = "seaway_examples.flights.source:read_tables"
RULES = "seaway_examples.flights.rules:RULES"
DEFINITIONS = "seaway_examples.flights.definitions:PROJECT"
KEYS = ["flight_id"]
SUBJECT = {"table": "flights", "time": "scheduled_departure", "outcome": "status", "label": LABEL}  # of the report
