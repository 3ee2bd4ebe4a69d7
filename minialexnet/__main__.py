"""The command line: ``minialexnet`` or ``python -m minialexnet``."""

import sys

from minialexnet import __version__, commands, processor
from minialexnet.commands.common import Parser
from minialexnet.errors import OUTSIDE, said


def parser() -> Parser:
    """The whole command line."""
    top = Parser(prog="minialexnet", description="AlexNet by hand.")
    top.add_argument("--version", action="version", version=__version__)
    names = top.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for command in commands.ALL:
        command.add(names)
    return top


def main(argv=None) -> int:
    """Run a command; the exit code is 2 where the input was at fault."""
    processor.settle()
    arguments = parser().parse_args(argv)
    rank, size = processor.launched()
    if size > 1 and not getattr(arguments, "many", False):
        if rank == 0:
            said_once = f"{size} processes were started for what one does: leave mpiexec out"
            print(f"minialexnet: error: {said_once}", file=sys.stderr)
        return 2
    try:
        return arguments.command(arguments)
    except OUTSIDE as error:
        print(f"minialexnet: error: {said(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("minialexnet: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
