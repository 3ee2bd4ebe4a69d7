"""Every field of a recipe as an option of the command line."""

import argparse
import dataclasses

# Recipes need NumPy, which must not be imported before `processor.settle` was called. So the
# functions below import Recipe when they are called.


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add one option for each field. Options that are not given stay out of the result."""
    from minialexnet.recipe import Recipe

    for item in dataclasses.fields(Recipe):
        default = getattr(Recipe(), item.name)
        parser.add_argument(
            f"--{item.name.replace('_', '-')}",
            default=argparse.SUPPRESS,
            help=f"{item.metadata['help']} (mini: {_shown(default)})",
            **_reading(item.name, default),
        )


def options(arguments: argparse.Namespace) -> dict:
    """The fields that were given as options."""
    from minialexnet.recipe import Recipe

    names = [item.name for item in dataclasses.fields(Recipe)]
    given = {name: getattr(arguments, name) for name in names if hasattr(arguments, name)}
    for name in ("drop_at", "scale"):
        if name in given:
            given[name] = tuple(given[name])
    for name in ("rates", "decays"):
        if name in given:
            given[name] = dict(given[name])
    return given


def _reading(name: str, default) -> dict:
    """How argparse should read a field of this name with this default."""
    match default:
        case bool():
            return {"action": argparse.BooleanOptionalAction}
        case tuple():
            metavar = "EPOCH" if name == "drop_at" else "NUMBER"
            return {"nargs": "*", "type": float, "metavar": metavar}
        case dict():
            return {"nargs": "*", "type": _assignment, "metavar": "PATTERN=NUMBER"}
        case str():
            return {"metavar": "NAME"}
        case _:
            return {"type": type(default), "metavar": "NUMBER"}


def _assignment(text: str) -> tuple[str, float]:
    pattern, equals, number = text.partition("=")
    try:
        if pattern and equals:
            return pattern, float(number)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f'expected PATTERN=NUMBER, got "{text}"')


def _shown(default) -> str:
    match default:
        case bool():
            return "yes" if default else "no"
        case tuple():
            return " ".join(f"{value:g}" for value in default)
        case dict():
            return " ".join(f"'{pattern}={value:g}'" for pattern, value in default.items())
        case _:
            return str(default)
