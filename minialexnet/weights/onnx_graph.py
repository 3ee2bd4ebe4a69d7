"""A graph in ONNX's terms: constants, and nodes that turn values into values.

The numbers of the fields are those of onnx.proto (https://onnx.ai/onnx/repo-docs/IR.html).
"""

from collections.abc import Mapping

import numpy as np

from minialexnet import __version__
from minialexnet.weights.protobuf import Fields

# Operators as of 2020 (ONNX 1.8): any runtime since knows them, and they say all that is needed.
OPERATORS, IR = 13, 7

FLOAT, UINT8, INT64 = 1, 2, 7


class Graph:
    """What is to be worked out, put together node by node.

    Parameters
    ----------
    inputs, outputs : {name: (element type, shape)}; a letter in a shape stands for any size
    """

    def __init__(self, inputs: Mapping, outputs: Mapping):
        self._ends = [(11, inputs), (12, outputs)]
        self._names = {*inputs, *outputs}
        self._nodes, self._constants = [], []

    def node(self, kind: str, name: str, *inputs: str, **settings) -> str:
        """Adds a node with one output and returns the output's name: `name`, if it is free yet."""
        (output,) = self.nodes(kind, name, [name], *inputs, **settings)
        return output

    def nodes(self, kind: str, name: str, outputs, *inputs: str, **settings) -> list[str]:
        """Adds a node with several outputs and returns their names."""
        outputs = [self._own(output) for output in outputs]
        self._add(kind, name, inputs, outputs, settings)
        return outputs

    def result(self, kind: str, output: str, *inputs: str, **settings) -> str:
        """Adds the node that gives one of the graph's outputs."""
        self._add(kind, output, inputs, [output], settings)
        return output

    def constant(self, name: str, array) -> str:
        """Adds an array, as 64-bit integers or in float32, and returns its name."""
        integers = np.issubdtype(np.asarray(array).dtype, np.integer)
        array = np.asarray(array, "<i8" if integers else "<f4", order="C")
        name = self._own(name)
        self._constants.append(
            [
                *((1, size) for size in array.shape),
                (2, INT64 if integers else FLOAT),
                (8, name),
                (9, array.reshape(-1).view(np.uint8).data),
            ]
        )
        return name

    def model(self, name: str, about: Mapping[str, str]) -> Fields:
        """The whole as a message: what an .onnx file holds.

        Parameters
        ----------
        about : goes into the model's metadata
        """
        graph = [(1, node) for node in self._nodes]
        graph.append((2, name))
        graph += [(5, constant) for constant in self._constants]
        graph += [
            (field, [(1, end), (2, [(1, [(1, element), (2, _dimensions(shape))])])])
            for field, ends in self._ends
            for end, (element, shape) in ends.items()
        ]
        return [
            (1, IR),
            (2, "minialexnet"),
            (3, __version__),
            (7, graph),
            (8, [(1, ""), (2, OPERATORS)]),
            *((14, [(1, key), (2, value)]) for key, value in about.items()),
        ]

    def _add(self, kind: str, name: str, inputs, outputs, settings: Mapping) -> None:
        self._nodes.append(
            [
                *((1, value) for value in inputs),
                *((2, value) for value in outputs),
                (3, name),
                (4, kind),
                *((5, _setting(key, value)) for key, value in settings.items()),
            ]
        )

    def _own(self, name: str) -> str:
        """The name, or one like it that no value has."""
        while name in self._names:
            name += "_"
        self._names.add(name)
        return name


def _setting(name: str, value: float | int | tuple[int, ...]) -> Fields:
    """One setting of a node: its name, the value in the field for its type, and which type."""
    match value:
        case float():
            return [(1, name), (2, value), (20, 1)]
        case int():
            return [(1, name), (3, value), (20, 2)]
    return [(1, name), *((8, number) for number in value), (20, 7)]


def _dimensions(shape) -> Fields:
    return [(1, [(2, size) if isinstance(size, str) else (1, size)]) for size in shape]
