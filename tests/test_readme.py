"""What the README shows is what there is."""

import re
import shlex
from pathlib import Path

import pytest

import minialexnet
from minialexnet.__main__ import parser

PACKAGE = Path(minialexnet.__file__).parent
README = PACKAGE.parent / "README.md"
if not README.exists():
    pytest.skip("the package is installed without its README", allow_module_level=True)
TEXT = README.read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_the_layer_is_the_librarys_whole_file():
    source = (PACKAGE / "layers" / "relu.py").read_text()
    assert blocks("python")[0] == source.split("\n\n", 1)[1]


def test_the_loop_is_the_librarys():
    assert blocks("python")[1] in (PACKAGE / "train.py").read_text()


def test_a_students_layer_is_checked_and_used():
    names = {}
    exec(blocks("python")[2], names)
    assert isinstance(names["net"].layers["relu5"], names["MyReLU"])


COMMANDS = [
    line.partition("#")[0].replace(" ...", "").replace("[", "").replace("]", "")
    for block in blocks("sh")
    for line in block.splitlines()
    if line.startswith("minialexnet ") and "--help" not in line
]


def test_nothing_is_left_to_be_filled_in():
    assert "@@" not in TEXT


def test_there_are_commands():
    assert len(COMMANDS) >= 6


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command):
    assert callable(parser().parse_args(shlex.split(command)[1:]).command)


def test_files_and_pictures_that_it_names_exist():
    for name in re.findall(r"\]\(([\w/.-]+)\)", TEXT):
        assert (README.parent / name).exists(), name


def test_make_does_what_it_says():
    makefile = (README.parent / "Makefile").read_text()
    for target in set(re.findall(r"make ([a-z-]+)", "\n".join(blocks("sh")))):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
