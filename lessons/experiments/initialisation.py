"""Which initial weights move and which stall: a thinned AlexNet with 1000 classes.

    python lessons/experiments/initialisation.py [--steps 300] [--out lessons/results]

The network of the paper with a quarter of its filters and units learns 1000 classes of pictures
drawn on the spot (a coarse pattern of colours each, cut out, mirrored, lit and overlaid with noise
at random) once from each of the initialisations of `minialexnet.initial`. The loss begins at
ln 1000 = 6.908 where a network says nothing yet, and stays there where no signal comes through.

A filter here has a quarter of the inputs that it has in the whole network. So that it says as much
as there, the weights that the paper and its code draw with a fixed standard deviation are drawn
twice as large (conv1 apart, which sees all of the picture there and here).
"""

import argparse
import math
import time
from pathlib import Path

from minialexnet import processor

processor.settle()  # before NumPy is imported

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from minialexnet import networks
from minialexnet.backend import device
from minialexnet.chance import generator
from minialexnet.engine import for_cpu
from minialexnet.guard import activation_scales
from minialexnet.initial import initialised
from minialexnet.layers import Conv2D, Linear
from minialexnet.loss import softmax_cross_entropy
from minialexnet.optim import SGD

CLASSES, SIDE, THIN = 1000, 227, 4
SHOWN = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")
# What pixels are multiplied by: the paper leaves them as they are, He et al. and LSUV expect 1.
STARTS = {"paper": 1.0, "as_run": 1.0, "he": 1 / 64, "lsuv": 1 / 64}


def thinned_alexnet():
    """The network of the paper with a quarter of its filters and units."""

    def conv(channels: int, filters: int, **settings):
        return Conv2D(channels if channels == 3 else channels // THIN, filters // THIN, **settings)

    def linear(features: int, units: int, **settings):
        return Linear(features // THIN, units if units == CLASSES else units // THIN, **settings)

    return networks.alexnet(generator("weights", 0), CLASSES, Conv2D=conv, Linear=linear)


def begun(name: str, x) -> dict:
    """The parameters from which the thinned network begins."""
    params = initialised(name, thinned_alexnet(), generator("weights", 1), x)
    if name in ("paper", "as_run"):
        for key in params:
            if key.endswith("weight") and key != "conv1.weight":
                params[key] = params[key] * np.float32(THIN**0.5)
    return params


def patterns(rng: np.random.Generator) -> np.ndarray:
    """A pattern of colours for each class: (1000, 256, 256, 3) uint8."""
    coarse = rng.integers(0, 256, (CLASSES, 6, 6, 3), np.uint8)
    size = (256, 256)
    return np.stack([Image.fromarray(one).resize(size, Image.Resampling.BICUBIC) for one in coarse])


def batch(drawn: np.ndarray, size: int, rng: np.random.Generator):
    """Pictures less 128, (N, 227, 227, 3) float32, and their classes."""
    labels = rng.integers(CLASSES, size=size)
    tops, lefts = rng.integers(256 - SIDE + 1, size=(2, size))
    pictures = np.empty((size, SIDE, SIDE, 3), np.float32)
    for n, (label, top, left) in enumerate(zip(labels, tops, lefts, strict=True)):
        one = drawn[label, top : top + SIDE, left : left + SIDE]
        pictures[n] = one[:, ::-1] if rng.random() < 0.5 else one
    pictures -= 128
    pictures *= rng.uniform(0.6, 1.2, (size, 1, 1, 1)).astype(np.float32)
    pictures += 15 * rng.standard_normal(pictures.shape, dtype=np.float32)
    return pictures, labels


def trained(name: str, drawn: np.ndarray, steps: int, size: int, rate: float):
    """The losses of a run, nats, and the activations' standard deviations at its start."""
    scale, cpu = np.float32(STARTS[name]), device("cpu")
    some, _ = batch(drawn, 64, np.random.default_rng(0))
    net = thinned_alexnet()
    net.params = begun(name, some * scale)
    scales = dict(activation_scales(net, some * scale, cpu))
    running = for_cpu(net, "winograd", (SIDE, SIDE, 3), processor.threads())
    sgd = SGD(0.9, 0.0005, {"*.bias": 2.0}, {"*.bias": 0.0})
    losses = []
    for step in range(steps):
        x, labels = batch(drawn, size, np.random.default_rng([1, step]))
        scores, cache = running.forward(x * scale, np.random.default_rng([2, step]))
        loss, dscores = softmax_cross_entropy(scores, labels)
        _, grads = running.backward(dscores, cache)
        net.params = sgd.step(net.params, grads, rate)
        losses.append(float(loss))
        if not math.isfinite(loss):
            break
    return losses, scales


def report(found: dict, steps: int, size: int, rate: float) -> str:
    """The results as a page of Markdown."""
    window = max(1, steps // 10)
    guess = math.log(CLASSES)
    lines = [
        "# Which initial weights move",
        "",
        f"A quarter of AlexNet, {CLASSES} classes of drawn pictures, batches of {size}, rate "
        f"{rate:g} (biases: twice that, and no decay), {steps} steps. ln {CLASSES} = {guess:.3f}. "
        "Written by",
        "`python lessons/experiments/initialisation.py`.",
        "",
        f"| initial weights | pixels times | loss at first | after {steps} steps (mean of "
        f"{window}) | verdict |",
        "|---|---|---|---|---|",
    ]
    for name, (losses, _) in found.items():
        last = float(np.mean(losses[-window:]))
        verdict = "moves" if last < 0.98 * guess else "stalls"
        if not last < 1.1 * guess:
            verdict = "diverges"
        lines.append(f"| {name} | {STARTS[name]:g} | {losses[0]:.3f} | {last:.3f} | {verdict} |")
    lines += [
        "",
        "Standard deviation of each layer's output before the first step:",
        "",
        f"| initial weights | {' | '.join(SHOWN)} |",
        f"|---|{'---|' * len(SHOWN)}",
    ]
    for name, (_, scales) in found.items():
        lines.append(f"| {name} | {' | '.join(f'{scales[layer]:.3g}' for layer in SHOWN)} |")
    return "\n".join(lines) + "\n"


def curves(found: dict) -> Figure:
    """Loss over steps, and activations over layers, for each initialisation."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, (losses, scales) in found.items():
        smooth = np.convolve(losses, np.ones(10) / 10, "valid") if len(losses) > 10 else losses
        left.plot(smooth, label=name)
        right.semilogy(SHOWN, [scales[layer] for layer in SHOWN], ".-", label=name)
    left.axhline(math.log(CLASSES), color="gray", linestyle=":", linewidth=1)
    left.set(xlabel="step", ylabel="loss, mean of 10 steps (nats)", ylim=(0, 8))
    right.set(ylabel="standard deviation of the output")
    right.tick_params(axis="x", rotation=45)
    left.legend(frameon=False)
    return figure


def main(words=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--out", type=Path, default=Path("lessons/results"))
    given = parser.parse_args(words)
    if min(given.steps, given.batch) < 1:
        parser.error("--steps and --batch should be 1 or more")
    drawn, found = patterns(np.random.default_rng(3)), {}
    for name in STARTS:
        started = time.perf_counter()
        found[name] = trained(name, drawn, given.steps, given.batch, given.rate)
        losses, seconds = found[name][0], time.perf_counter() - started
        print(f"{name}: loss {losses[0]:.3f} -> {losses[-1]:.3f}, {seconds:.0f} s", flush=True)
    given.out.mkdir(parents=True, exist_ok=True)
    page = report(found, given.steps, given.batch, given.rate)
    (given.out / "initialisation.md").write_text(page)
    curves(found).savefig(given.out / "initialisation.png", dpi=120)
    print(page)


if __name__ == "__main__":
    main()
