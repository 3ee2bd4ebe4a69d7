"""What lesson 15 measures on real pictures: the network that comes along, looking at CIFAR-10.

    python lessons/experiments/looking.py [--data cifar10] [--out lessons/results]

Writes two small tables. looking-confusion.csv: a row for each class, how many of its test pictures
were taken for each. looking-measures.csv: a number a row,

    right        share of the test pictures that were named rightly, by how probable it said it was
    neighbours   share of the 6 nearest training pictures that have the class of the test picture,
                 by the layer in which they are near, for this network and for an untrained one
    saliency     how much the saliency maps agree (Spearman, median over pictures) with those of the
                 same network with the weights of some layers shuffled, and with what it did not
                 take a network to find: the picture's own edges
"""

import argparse
import csv
import io
from pathlib import Path

from minialexnet import processor

processor.settle()  # before NumPy is imported

import numpy as np

from minialexnet import data, look, networks
from minialexnet.backend import device
from minialexnet.chance import generator
from minialexnet.commands.common import saved_run
from minialexnet.evaluate import probabilities
from minialexnet.files import whole
from minialexnet.pretrained import pretrained

NEAREST, LAYERS = 6, ("pixels", "norm1", "norm2", "pool3", "fc4")


def places(split, count: int) -> np.ndarray:
    """Row numbers of so many pictures, drawn at random, in order."""
    return np.sort(np.random.default_rng(0).permutation(len(split.labels))[:count])


def answers(net, images, see, batch: int = 250) -> dict:
    """The outputs of LAYERS for all pictures, (N, D) each."""
    parts = {name: [] for name in LAYERS}
    for first in range(0, len(images), batch):
        x = see(images[first : first + batch])
        found = {"pixels": x, **look.outputs(net, x)}
        for name, some in parts.items():
            some.append(found[name].reshape(len(x), -1))
    return {name: np.concatenate(some) for name, some in parts.items()}


def same_class(queries, labels, among, known, batch: int = 200) -> float:
    """The share of the nearest that have the class of the query."""
    hits = 0
    for first in range(0, len(queries), batch):
        near = look.nearest(queries[first : first + batch], among, NEAREST)
        hits += int((known[near] == labels[first : first + batch, None]).sum())
    return hits / (NEAREST * len(queries))


def edges(images: np.ndarray) -> np.ndarray:
    """How much a pixel differs from its neighbours: (N, H, W), the length of the grey's slope."""
    down, right = np.gradient(images.astype(np.float32).mean(axis=3), axis=(1, 2))
    return np.hypot(down, right)


def shuffled(params: dict, layers, rng) -> dict:
    """The parameters, those of some layers in a random order: as large, without sense."""
    return {
        name: rng.permutation(array.ravel()).reshape(array.shape)
        if name.split(".")[0] in layers
        else array
        for name, array in params.items()
    }


def calibration(believed: np.ndarray, labels: np.ndarray) -> list[list]:
    """By tenths of what it said: how sure it was, and how often right."""
    surest, right = believed.max(axis=1), believed.argmax(axis=1) == labels
    rows = []
    for tenth in range(1, 10):
        here = np.minimum((surest * 10).astype(int), 9) == tenth
        if here.any():
            name = f"{tenth / 10:.1f} to {(tenth + 1) / 10:.1f}"
            rows.append(["sure", name, surest[here].mean(), here.sum()])
            rows.append(["right", name, right[here].mean(), here.sum()])
    return rows


def neighbourhoods(net, see, set_, queries: int, searched: int) -> list[list]:
    untrained = networks.cifar_18pct(generator("weights", 0))
    asked, among = places(set_.test, queries), places(set_.train, searched)
    rows = []
    for words, one in (("trained", net), ("untrained", untrained)):
        here = answers(one, np.asarray(set_.test.images[asked]), see)
        there = answers(one, np.asarray(set_.train.images[among]), see)
        for name in LAYERS:
            share = same_class(
                here[name], set_.test.labels[asked], there[name], set_.train.labels[among]
            )
            rows.append([f"neighbours {words}", name, share, len(asked)])
            print(*rows[-1], flush=True)
    return rows


def sanity(net, see, set_, count: int) -> list[list]:
    asked = places(set_.test, count)
    images, labels = np.asarray(set_.test.images[asked]), set_.test.labels[asked]
    maps = look.saliency(net, images, labels, see)
    trained, rows = net.params, []
    for layers in (("fc4",), ("fc4", "conv3"), ("fc4", "conv3", "conv2"), tuple(weighted(net))):
        net.params = shuffled(trained, layers, np.random.default_rng(1))
        agree = look.agreement(maps, look.saliency(net, images, labels, see))
        rows.append(["saliency", f"{' '.join(layers)} shuffled", np.median(agree), count])
    net.params = trained
    agree = look.agreement(maps, edges(images))
    return [*rows, ["saliency", "the picture's edges", np.median(agree), count]]


def weighted(net) -> list[str]:
    """The layers with weights, from the last to the first."""
    return list(dict.fromkeys(name.split(".")[0] for name in reversed(net.params)))


def written(path: Path, rows: list) -> None:
    table = io.StringIO(newline="")
    csv.writer(table, lineterminator="\n").writerows(rows)
    with whole(path) as file:
        file.write(table.getvalue().encode())
    print(path)


def main(words=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="cifar10", help="cifar10, or a prepared folder of it")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--searched", type=int, default=10_000)
    parser.add_argument("--maps", type=int, default=500)
    parser.add_argument("--out", type=Path, default=Path("lessons/results"))
    given = parser.parse_args(words)
    set_ = data.load(given.data)
    net, recipe, saved = saved_run(pretrained("cifar10"))
    if list(set_.classes) != saved.about["data"]["classes"]:
        parser.error(f"{given.data}: not the classes of CIFAR-10")
    see = recipe.seen(saved.mean, device("cpu"))
    labels = np.asarray(set_.test.labels)
    believed = probabilities(net, set_.test.images, see)
    counts = look.confused(labels, believed.argmax(axis=1), len(set_.classes))
    print(f"test error {1 - counts.trace() / counts.sum():.2%}", flush=True)
    measures = calibration(believed, labels)
    measures += sanity(net, see, set_, given.maps)
    measures += neighbourhoods(net, see, set_, given.queries, given.searched)
    for row in measures:
        row[2] = f"{row[2]:.4f}"
    given.out.mkdir(parents=True, exist_ok=True)
    head = ["is", *set_.classes]
    written(
        given.out / "looking-confusion.csv",
        [head, *([name, *row] for name, row in zip(set_.classes, counts, strict=True))],
    )
    written(
        given.out / "looking-measures.csv",
        [["measure", "setting", "value", "pictures"], *measures],
    )


if __name__ == "__main__":
    main()
