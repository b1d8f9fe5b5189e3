"""Property tests find faults in values, not in the speed of the machine that they run on."""

from hypothesis import HealthCheck, settings

settings.register_profile("seaway", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("seaway")
