"""minialexnet import, minialexnet export: weights from other programs, and for them."""

from pathlib import Path

from minialexnet.commands.common import absolute, add_best, saved_run


def add(commands) -> None:
    one = commands.add_parser(
        "import", help="make a run of weights from PyTorch, .safetensors or Caffe's .npy"
    )
    one.set_defaults(command=import_weights)
    one.add_argument("file", type=Path, metavar="FILE", help=".pth, .safetensors, .npy or .npz")
    one.add_argument("--network", required=True, metavar="NAME", help="the network that it holds")
    one.add_argument("--out", required=True, type=Path, metavar="RUN", help="the folder to make")
    one.add_argument("--data", metavar="NAME", help="data that have its classes (else numbers)")
    one.add_argument(
        "--mean",
        nargs=3,
        type=float,
        metavar=("R", "G", "B"),
        help="of the pixels, 0 to 255 (what FILE says; else torchvision's, or for .npy Caffe's)",
    )
    one.add_argument(
        "--scale",
        nargs=3,
        type=float,
        metavar=("R", "G", "B"),
        help="what pixels are multiplied by, after the mean is subtracted (likewise)",
    )
    one.add_argument(
        "--bgr", action="store_true", help="its first layer expects blue, green, red (.npy: always)"
    )

    one = commands.add_parser(
        "export", help="write a run's network for PyTorch or ONNX, or to hand it on"
    )
    one.set_defaults(command=export_weights)
    one.add_argument("run", type=Path, metavar="RUN", help="folder of a run, or an .npz file")
    one.add_argument(
        "file", type=Path, metavar="FILE", help="a new .safetensors, .onnx or .npz file"
    )
    add_best(one)


def import_weights(arguments) -> int:
    from minialexnet.weights.exchange import import_run, in_words

    a = arguments
    told = import_run(a.file, a.network, a.out, absolute(a.data), a.mean, a.scale, a.bgr)
    height, width, _ = told.mean.shape
    mean, scale = in_words(told.mean, told.scale)
    seen = f", cut to {told.crop} x {told.crop}" if told.crop else ""
    print(
        f"{a.out}: {told.network}, {len(told.classes)} classes; pictures are scaled to {height} x "
        f"{width} pixels{seen}, less {mean} (R, G, B), times {scale}; try it with: "
        f"minialexnet predict {a.out} PICTURE"
    )
    return 0


def export_weights(arguments) -> int:
    from minialexnet.weights.exchange import export_run

    net, recipe, saved = saved_run(arguments.run, arguments.best)
    print(export_run(net, recipe, saved, arguments.file))
    return 0
