"""Runs from files of weights, and files of weights from runs."""

import base64
import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minialexnet import __version__, backend, checkpoint, data, networks
from minialexnet.errors import InputError
from minialexnet.files import whole
from minialexnet.layers import Network
from minialexnet.recipe import Recipe, as_json
from minialexnet.recipes import RECIPES
from minialexnet.run import demand_fit, demand_no_run, network
from minialexnet.train import Progress
from minialexnet.weights import files, layout, onnx, safetensors

# Under this name a .safetensors file of ours says what `About` holds.
ENTRY = "minialexnet"
# What a file may ask for: rows or columns of a picture, a mean, a scale.
LARGEST = 4096


@dataclass(frozen=True)
class About:
    """What has to be known of a network besides its weights.

    Parameters
    ----------
    network : its name
    classes : the names of its classes
    mean : (H, W, 3) float32, what is subtracted from a picture of H x W pixels
    scale : what the pixels are multiplied by then, one number or one for each of R, G and B
    crop : side of the part of a picture that the network sees, pixels; 0 for all of it
    """

    network: str
    classes: tuple[str, ...]
    mean: np.ndarray
    scale: tuple[float, ...]
    crop: int


def import_run(
    path, name: str, folder, data_name: str | None = None, mean=None, scale=None, bgr: bool = False
) -> About:
    """Make a run of a file of weights.

    Parameters
    ----------
    path : a .pth, .safetensors, .npy or .npz file
    name : the network that it holds, by its name in minialexnet.networks
    folder : of the run to make
    data_name : data with the classes that the network tells apart. Without it classes have the
        names that the file says, else numbers.
    mean, scale : three numbers for R, G and B. Without them what the file says, else torchvision's,
        for .npy and .npz files Caffe's.
    bgr : whether the first layer expects B, G, R; in .npy and .npz files it always does

    Raises
    ------
    InputError
        If the file holds no weights, or another network's, or the folder a run. Nothing in the
        file is executed.
    """
    demand_no_run(folder)
    for option, numbers in (("mean", mean), ("scale", scale)):
        low = 0 if option == "scale" else -LARGEST
        if numbers is not None and not all(low < number < LARGEST for number in numbers):
            raise InputError(f"--{option} should be three sensible numbers, got {numbers}")
    networks.demand_known(name)
    learned = data.load(data_name) if data_name else None
    weights = files.read(path)
    tensors = weights.tensors
    try:
        about = _said(weights.words, name)
        classes = learned.classes if learned else about.classes if about else None
        net = _network(name, weights, classes)
        side = networks.SIZES[name]
        if weights.caffe:
            params = layout.from_caffe(net, tensors, (side, side, 3))
        else:
            names = layout.NAMES.get(name, {})
            params = layout.from_torch(net, tensors, (side, side, 3), names)
    except InputError as error:
        raise InputError(f'{path} does not fit network "{name}": {error}') from error
    if bgr and not weights.caffe:
        first = next(iter(params))
        params[first] = np.ascontiguousarray(params[first][:, :, ::-1])
    about = about or _usual(name, "caffe" if weights.caffe else "torchvision")
    count = len(list(params.values())[-1])
    changes = {"classes": classes or tuple(f"class {m}" for m in range(count))}
    if mean is not None:
        changes["mean"] = np.full(about.mean.shape, mean, np.float32)
    if scale is not None:
        changes["scale"] = tuple(scale)
    about = dataclasses.replace(about, **changes)
    net.params = params
    demand_fit(net, name, about.crop or len(about.mean))
    _save(Path(folder), about, params, data_name, Path(path).name)
    return about


def export_run(net: Network, recipe: Recipe, saved: checkpoint.Checkpoint, path) -> str:
    """Write the network of a run for other programs.

    Parameters
    ----------
    net : with its weights, on the host
    recipe, saved : of the run
    path : .safetensors, in PyTorch's layout and with torchvision's names where it has the network;
        .onnx, which takes pictures as they are; or .npz, a checkpoint without what only training
        needs

    Returns
    -------
    a line on how to use the file

    Raises
    ------
    InputError
        If the name ends otherwise, the file exists, or the format lacks a layer.
    """
    path = Path(path)
    if path.exists():
        raise InputError(f"{path}: exists already")
    see = recipe.seen(saved.mean, backend.device("cpu"))
    height, width, _ = see.mean.shape
    classes = tuple(saved.about["data"]["classes"])
    if path.suffix == ".onnx":
        onnx.write(path, net, see.mean, recipe.scale, see.mean.shape, classes)
        return (
            f'{path}: takes "pictures", (N, {height}, {width}, 3) uint8 RGB, gives "scores" and '
            '"probabilities"'
        )
    if path.suffix == ".npz":
        checkpoint.save(path, dataclasses.replace(saved, velocity={}))
        return f"{path}: for this program, as evaluate and predict take it in place of a run"
    if path.suffix != ".safetensors":
        raise InputError(f"{path}: expected a name that ends in .safetensors, .onnx or .npz")
    about = About(recipe.network, classes, saved.mean, recipe.scale, recipe.crop)
    tensors = layout.to_torch(net, see.mean.shape, layout.NAMES.get(recipe.network, {}))
    safetensors.write(path, tensors, {"format": "pt", ENTRY: _words(about)})
    mean, scale = in_words(see.mean, recipe.scale)
    return (
        f"{path}: a state_dict for PyTorch; it takes (N, 3, {height}, {width}), pixels 0 to 255 "
        f"less the mean picture (on average {mean} in R, G, B), times {scale}"
    )


def in_words(mean: np.ndarray, scale) -> tuple[str, str]:
    """The mean colour of a mean picture, (H, W, 3), and a scale, as they are printed."""
    colour = mean.mean(axis=(0, 1), dtype=float)
    return ", ".join(f"{one:.3f}" for one in colour), ", ".join(f"{one:.6g}" for one in scale)


def _network(name: str, weights: files.Weights, classes) -> Network:
    """The network with as many classes as the file has weights for."""
    net = network(name, networks.CLASSES[name], 0)
    last = list(net.layers)[-1]
    theirs = last if weights.caffe else layout.NAMES.get(name, {}).get(last, last)
    features, usual = net.layers[last].params["weight"].shape
    # Its own size, because a file may claim anything for the bias alone.
    size = weights.tensors.get(f"{theirs}.weight", np.zeros(0)).size
    count, rest = divmod(size, features)
    if classes is not None and count != len(classes):
        raise InputError(f"{theirs}.weight: expected {len(classes)} classes, got {count}")
    return net if rest or count in (0, usual) else network(name, count, 0)


def _usual(name: str, whose: str) -> About:
    """How pictures enter a network of torchvision or of Caffe."""
    usual, side = layout.INPUTS[whose], networks.SIZES[name]
    small = networks.CLASSES[name] < 1000
    size = side if small else usual.size
    mean = np.full((size, size, 3), usual.mean, np.float32)
    return About(name, (), mean, usual.scale, 0 if small else side)


def _save(folder: Path, about: About, params: dict, data_name: str | None, source: str) -> None:
    known = RECIPES[about.network].recipe
    recipe = dataclasses.replace(
        known,
        data=data_name or known.data,
        crop=about.crop,
        crops=known.crops if about.crop else "center",
        scale=about.scale,
    )
    state = checkpoint.Checkpoint(
        params,
        {},
        about.mean,
        {
            "version": __version__,
            "recipe": dataclasses.asdict(recipe),
            "progress": dataclasses.asdict(Progress()),
            "data": {"source": f"weights of {source}", "classes": list(about.classes)},
        },
    )
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint.save(folder / "checkpoint.npz", state)
    with whole(folder / "recipe.json") as file:
        file.write(as_json(recipe).encode())


def _words(about: About) -> str:
    """`About` as text; a mean picture of one colour as that colour."""
    mean = np.asarray(about.mean, "<f4")
    flat = bool((mean == mean[0, 0]).all())
    return json.dumps(
        dataclasses.asdict(about)
        | {
            "size": mean.shape[:2],
            "mean": mean[0, 0].tolist() if flat else base64.b64encode(mean.tobytes()).decode(),
        }
    )


def _said(words: dict, name: str) -> About | None:
    """What a file of ours says of its network; nothing for another's."""
    if ENTRY not in words:
        return None
    try:
        said = json.loads(words[ENTRY])
        height, width = map(int, said["size"])
        mean = said["mean"]
        if height != width or not 0 < height <= LARGEST:
            raise ValueError(f"pictures of {height} x {width} pixels")
        if not isinstance(said["classes"], list) or len(said["classes"]) < 2:
            raise ValueError("classes that are no list of two or more")
        if isinstance(mean, str):
            pixels = np.frombuffer(base64.b64decode(mean, validate=True), "<f4")
            mean = pixels.reshape(height, width, 3)
        else:
            mean = np.broadcast_to(np.asarray(mean, float), (height, width, 3))
        if not (abs(mean) < LARGEST).all():
            raise ValueError("a mean that no pixels have")
        about = About(
            str(said["network"]),
            tuple(map(str, said["classes"])),
            mean.astype(np.float32),
            tuple(map(float, said["scale"])),
            int(said["crop"]),
        )
        if not 0 <= about.crop <= min(height, width):
            raise ValueError(f"crop {about.crop} of pictures of {height} x {width} pixels")
        if len(about.scale) not in (1, 3) or not all(0 < one < LARGEST for one in about.scale):
            raise ValueError(f"scale {about.scale}")
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(f'its entry "{ENTRY}" is broken ({error})') from error
    if about.network != name:
        raise InputError(f"it says that it is {about.network}")
    return about
