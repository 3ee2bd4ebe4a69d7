"""What the classes of ImageNet are called."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

# A WordNet ID, as ImageNet's folders and files are named.
WNID = re.compile(r"n\d{8}", re.ASCII)


@cache
def known_words() -> dict[str, str]:
    """The words of the 1000 classes of ILSVRC-2012 by WordNet ID, in the order of the IDs."""
    text = (resources.files("minialexnet.data.imagenet") / "names.txt").read_text("utf-8")
    lines = (line.split(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return dict(lines)


def named(wnids: Iterable[str], words: Mapping[str, str]) -> tuple[str, ...]:
    """A name for each class: its WordNet ID, which is unique, and its words, which are not.

    Two classes are called "crane", the bird and the machine.

    Parameters
    ----------
    words : for classes that are not among the 1000
    """
    words = {**words, **known_words()}
    return tuple(f"{wnid} {words.get(wnid, '')}".strip() for wnid in wnids)
