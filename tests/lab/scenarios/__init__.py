"""All scenarios: a function each, registered under the name of its capture."""

SCENARIOS = {}


def scenario(name, title, **options):
    """Registers a scenario function; it gets a Scene that is ready to record."""
    def keep(function):
        SCENARIOS[name] = (function, title, options)
        return function
    return keep
