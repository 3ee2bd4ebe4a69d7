"""The kinds of layer that a network's table is written in."""

from types import SimpleNamespace

from minialexnet import layers


def layer_kinds(**replacements) -> SimpleNamespace:
    """The library's layer classes by name, with some of them replaced.

    Parameters
    ----------
    replacements : a class for each name, such as ``ReLU=MyReLU``

    Raises
    ------
    TypeError
        If a name is not one of the library's layers.
    """
    kinds = {name: getattr(layers, name) for name in layers.__all__ if name[0].isupper()}
    for name in replacements:
        if name not in kinds:
            raise TypeError(f'no kind of layer is named "{name}": choose from {", ".join(kinds)}')
    return SimpleNamespace(**(kinds | replacements))
