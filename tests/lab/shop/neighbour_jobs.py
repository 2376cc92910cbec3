"""Jobs of the neighbours: what RQ's and arq's workers import by name."""


def resize(name, width=100):
    return f"{name}@{width}"


class Settings:
    """A value of a class of our own, for caches."""

    def __init__(self, colour):
        self.colour = colour


async def arq_mail(_ctx, to, subject="hello"):
    return f"{to}: {subject}"
