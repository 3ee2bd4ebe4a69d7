"""The same seed twice: to the bit, or the layer that differs is named."""

import hashlib

import numpy as np

from minialexnet.backend import Device
from minialexnet.bench.card.parity import network_on, results, training
from minialexnet.bench.card.plan import Plan


def repeated(place: Device, plan: Plan) -> dict:
    """Train twice.

    Returns
    -------
    steps : how many
    first_difference : "" or the step and the first array of it that differs
    layers : the layers and arrays that differ when one layer is run twice
    """
    once, again = (_fingerprints(place, plan) for _ in range(2))
    different = [
        f"step {step + 1}, {name}"
        for step, (one, two) in enumerate(zip(once, again, strict=True))
        for name in one
        if one[name] != two[name]
    ]
    return {
        "steps": len(once),
        "first_difference": different[0] if different else "",
        "layers": _layers(place, plan),
    }


def _fingerprints(place: Device, plan: Plan) -> list[dict[str, str]]:
    return [
        {name: hashlib.sha256(get(array).tobytes()).hexdigest() for name, array in state.items()}
        for state, get in training(place, plan)
    ]


def _layers(place: Device, plan: Plan) -> list[str]:
    found = []
    for name in plan.parity:
        net = network_on(name, place)
        from minialexnet import networks

        size = networks.SIZES[name]
        shape = (plan.parity_batch, size, size, 3)
        x = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
        for key, layer in net.layers.items():
            one, two = (results(layer, x, 0, place) for _ in range(2))
            found += [
                f"{name} {key} {array}"
                for array in one
                if one[array].tobytes() != two[array].tobytes()
            ]
            x = one["y"]
    return found
