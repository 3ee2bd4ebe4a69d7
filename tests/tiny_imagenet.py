"""An ImageNet of small size but true form, made of drawn pictures, in every layout there is.

`python tests/tiny_imagenet.py FOLDER` makes them all, to try the commands on.
"""

import csv
import gzip
import io
import json
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

# WordNet ID, ILSVRC2012_ID in the development kit, words: as they really are. The kit's order is
# another than that of the WordNet IDs.
CLASSES = (
    ("n01440764", 449, "tench, Tinca tinca"),
    ("n01751748", 490, "sea snake"),
    ("n02105855", 171, "Shetland sheepdog, Shetland sheep dog, Shetland"),
    ("n03125729", 297, "cradle"),
    ("n04263257", 822, "soup bowl"),
    ("n09193705", 361, "alp"),
)
WNIDS = tuple(wnid for wnid, _, _ in CLASSES)
# A synset above the classes, as in the kit, where it has children instead of pictures.
ABOVE = (1001, "n00001740", "entity", 6)
LAYOUTS = ("archives", "folders", "devkit", "kaggle", "parquet")


@dataclass(frozen=True)
class Drawn:
    """A picture of the data set: its class, its name in the official archive, its content."""

    label: int
    name: str
    content: bytes


def drawn(train=12, validation=4, seed=0) -> tuple[list[Drawn], list[Drawn]]:
    """Pictures of all classes: so many of each, in an order as random as that of the real ones."""
    rng = np.random.default_rng(seed)
    first = [
        Drawn(label, f"{wnid}_{rng.integers(10**5)}{number:02}.JPEG", _picture(rng, label, number))
        for label, wnid in enumerate(WNIDS)
        for number in range(train)
    ]
    labels = rng.permutation(np.repeat(np.arange(len(WNIDS)), validation)).tolist()
    second = [
        Drawn(label, f"ILSVRC2012_val_{number:08}.JPEG", _picture(rng, label, number))
        for number, label in enumerate(labels, 1)
    ]
    return [first[n] for n in rng.permutation(len(first))], second


def _picture(rng, label: int, number: int) -> bytes:
    """A JPEG file of any shape, or one of the odd kinds that ImageNet holds."""
    height, width = rng.integers(24, 90, 2).tolist()
    colour = np.random.default_rng(label).integers(40, 215, 3)
    image = colour + rng.integers(-40, 41, (height // 8 + 1, width // 8 + 1, 3))
    big = Image.fromarray(image.astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
    kinds = {
        3: lambda: encoded(big.convert("CMYK")),
        4: lambda: encoded(big.convert("RGBA"), "PNG"),
        5: lambda: encoded(big.convert("L")),
        6: lambda: encoded(big, exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff broken"),
        7: lambda: encoded(big, exif=rotated()),
    }
    return kinds.get(number, lambda: encoded(big))()


def encoded(picture: Image.Image, kind="JPEG", **options) -> bytes:
    """The content of a picture file."""
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def rotated() -> Image.Exif:
    """The note of a camera that was held upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


# ---------------------------------------------------------------- the five layouts


def made(folder: Path, layout: str, train: list[Drawn], validation: list[Drawn]) -> Path:
    """The pictures in one of LAYOUTS, in a new folder."""
    folder.mkdir(parents=True)
    {
        "archives": _archives,
        "folders": _folders,
        "devkit": _with_devkit,
        "kaggle": _kaggle,
        "parquet": _parquet,
    }[layout](folder, train, validation)
    return folder


def _archives(folder, train, validation):
    inner = {}
    for label, wnid in enumerate(WNIDS):
        of_class = [(d.name, d.content) for d in train if d.label == label]
        inner[f"{wnid}.tar"] = archive(of_class)
    # The outer archive's order is not that of the IDs either.
    outer = archive([(name, inner[name]) for name in sorted(inner, key=lambda n: n[::-1])])
    (folder / "ILSVRC2012_img_train.tar").write_bytes(outer)
    heap = archive([(d.name, d.content) for d in reversed(validation)])
    (folder / "ILSVRC2012_img_val.tar").write_bytes(heap)
    kit = [(f"ILSVRC2012_devkit_t12/{name}", text) for name, text in devkit(validation).items()]
    (folder / "ILSVRC2012_devkit_t12.tar.gz").write_bytes(gzip.compress(archive(kit), mtime=0))


def archive(files) -> bytes:
    """A tar archive of names and contents."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return content.getvalue()


def devkit(validation) -> dict[str, bytes]:
    """The files of the development kit that matter."""
    from scipy.io import savemat

    rows = [(number, wnid, words, 0) for wnid, number, words in CLASSES]
    kinds = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("num_children", "O")]
    synsets = np.array([*sorted(rows), ABOVE], dtype=kinds).reshape(-1, 1)
    mat = io.BytesIO()
    savemat(mat, {"synsets": synsets})
    truth = "".join(f"{CLASSES[d.label][1]}\n" for d in validation)
    return {
        "data/meta.mat": mat.getvalue(),
        "data/ILSVRC2012_validation_ground_truth.txt": truth.encode(),
        "readme.txt": b"about the kit",
    }


def _folders(folder, train, validation):
    for part, pictures in (("train", train), ("val", validation)):
        for one in pictures:
            path = folder / part / WNIDS[one.label] / one.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(one.content)


def _heap(folder, train, validation):
    _folders(folder, train, [])
    (folder / "val").mkdir()
    for one in validation:
        (folder / "val" / one.name).write_bytes(one.content)


def _with_devkit(folder, train, validation):
    _heap(folder, train, validation)
    for name, text in devkit(validation).items():
        path = folder / "ILSVRC2012_devkit_t12" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


def _kaggle(folder, train, validation):
    _heap(folder / "ILSVRC" / "Data" / "CLS-LOC", train, validation)
    with (folder / "LOC_val_solution.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["ImageId", "PredictionString"])
        for one in reversed(validation):
            box = f"{WNIDS[one.label]} 85 1 499 272 "
            rows.writerow([one.name.removesuffix(".JPEG"), box * (1 + one.label % 2)])
    lines = "".join(f"{wnid} {words}\n" for wnid, _, words in CLASSES)
    (folder / "LOC_synset_mapping.txt").write_text(lines)


def _parquet(folder, train, validation):
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [words for _, _, words in CLASSES]
    features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    kinds = pa.schema(
        [("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])), ("label", "int64")],
        metadata=about,
    )
    (folder / "data").mkdir()
    half = len(train) // 2
    for name, part in (
        ("train-00000-of-00002", train[:half]),
        ("train-00001-of-00002", train[half:]),
        ("validation-00000-of-00001", validation),
    ):
        rows = [
            {
                "image": {
                    "bytes": d.content,
                    "path": d.name.replace(".JPEG", f"_{WNIDS[d.label]}.JPEG"),
                },
                "label": d.label,
            }
            for d in part
        ]
        table = pa.Table.from_pylist(rows, kinds)
        pq.write_table(table, folder / "data" / f"{name}.parquet", row_group_size=10)


if __name__ == "__main__":
    for layout in LAYOUTS:
        print(made(Path(sys.argv[1]) / layout, layout, *drawn()))
