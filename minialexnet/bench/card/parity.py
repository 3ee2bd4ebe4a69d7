"""The same as NumPy, up to the order of sums: every layer, and steps of training."""

import numpy as np

from minialexnet import networks
from minialexnet.backend import Device, device
from minialexnet.bench.card.plan import Plan
from minialexnet.chance import generator
from minialexnet.loss import softmax_cross_entropy
from minialexnet.optim import SGD


def layers_apart(place: Device, plan: Plan) -> dict[str, float]:
    """{network layer array: its largest difference from NumPy's, of the array's largest number}.

    Every layer is handed NumPy's inputs, in training, forward and backward, and in evaluation.
    """
    return {
        f"{name} {layer} {array}": apart
        for name in plan.parity
        for layer, arrays in _layers_of(name, place, plan.parity_batch).items()
        for array, apart in arrays.items()
    }


def _layers_of(name: str, place: Device, batch: int) -> dict[str, dict[str, float]]:
    cpu, size = device("cpu"), networks.SIZES[name]
    ours, theirs = network_on(name, place), network_on(name, cpu)
    x = np.random.default_rng(0).standard_normal((batch, size, size, 3), dtype=np.float32)
    found = {}
    for number, (key, layer) in enumerate(theirs.layers.items()):
        expected = results(layer, x, number, cpu)
        came = results(ours.layers[key], x, number, place)
        found[key] = {array: apart(came[array], expected[array]) for array in expected}
        x = expected["y"]
    return found


def network_on(name: str, place: Device):
    """The network of that name, with its initial weights on the device."""
    net = getattr(networks, name)(generator("weights", 0), networks.CLASSES[name])
    net.params = {key: place.put(array) for key, array in net.params.items()}
    return net


def results(layer, x, seed: int, place: Device) -> dict[str, np.ndarray]:
    """All that a layer gives for x, (N, ...) on the host: {name: array on the host}."""
    y, cache = layer.forward(place.put(x), np.random.default_rng(seed))
    dy = np.random.default_rng([seed, 1]).standard_normal(y.shape, dtype=np.float32)
    dx, grads = layer.backward(place.put(dy), cache)
    arrays = {"y": y, "y in evaluation": layer(place.put(x))}
    arrays |= {} if dx is None else {"dx": dx}
    arrays |= {f"d{key}": grad for key, grad in grads.items()}
    return {name: place.get(array) for name, array in arrays.items()}


def apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest difference, as a share of the largest number of theirs."""
    largest = float(np.abs(theirs).max())
    difference = float(np.abs(ours.astype(np.float64) - theirs).max())
    return difference / largest if largest else difference


def training(place: Device, plan: Plan):
    """Train; yields after each step {"loss" or a parameter's name: array there}, and its `get`."""
    name, batch = plan.training, plan.training_batch
    size, classes = networks.SIZES[name], networks.CLASSES[name]
    net, sgd = network_on(name, place), SGD()
    for step in range(plan.training_steps):
        drawn = np.random.default_rng([0, step])
        images = 255 * drawn.random((batch, size, size, 3), dtype=np.float32) - 127
        labels = place.put(drawn.integers(0, classes, batch))
        scores, cache = net.forward(place.put(images), np.random.default_rng([1, step]))
        loss, dscores = softmax_cross_entropy(scores, labels)
        _, grads = net.backward(dscores, cache)
        net.params = sgd.step(net.params, grads, 1e-3)
        yield {"loss": loss.reshape(1), **net.params}, place.get


def steps_apart(place: Device, plan: Plan) -> dict[str, float]:
    """{"loss" or a parameter's name: the largest difference from NumPy's}.

    The loss over all steps; the parameters after the last one.
    """
    losses, last = [], {}
    for (ours, get), (theirs, home) in zip(
        training(place, plan), training(device("cpu"), plan), strict=True
    ):
        losses.append(apart(get(ours["loss"]), home(theirs["loss"])))
        last = ours, theirs
    ours, theirs = last
    weights = {name: apart(get(ours[name]), home(theirs[name])) for name in ours if name != "loss"}
    return {"loss": max(losses), **weights}
