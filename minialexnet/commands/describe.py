"""minialexnet recipes, minialexnet describe: what there is, as tables."""

from minialexnet.errors import InputError

MB = 1e6
WAYS = ("forward", "backward")


def add(commands) -> None:
    one = commands.add_parser("recipes", help="the runs of record: source, error, cost")
    one.set_defaults(command=recipes)
    one.add_argument("name", nargs="?", metavar="NAME", help="one of them, with all its numbers")
    one = commands.add_parser("describe", help="a network as a table of its layers")
    one.set_defaults(command=describe)
    one.add_argument(
        "network", metavar="NAME", help="a network, by its name in minialexnet.networks"
    )
    one.add_argument("--batch", type=int, default=1, metavar="NUMBER", help="images (1)")
    one.add_argument(
        "--towers",
        action="store_true",
        help="what its two towers say to each other in a training step, instead",
    )


def recipes(arguments) -> int:
    from minialexnet.recipe import as_json
    from minialexnet.recipes import RECIPES, published

    if arguments.name is not None:
        one = published(arguments.name)
        for what in ("source", "error", "cost", "departures", "measured"):
            if said := getattr(one, what):
                print(f"{what}: {said}")
        print(as_json(one.recipe), end="")
        return 0
    width = max(map(len, RECIPES))
    for name, one in RECIPES.items():
        published_as = "; ".join(filter(None, (one.error, one.cost))) or "nothing"
        print(f"{name:<{width}}  {one.source}; {one.recipe.epochs} epochs of {one.recipe.data}")
        print(f"{'':<{width}}  published: {published_as}")
        if one.measured:
            print(f"{'':<{width}}  measured:  {one.measured}")
    print(
        "\nErrors are top-1, or top-1 / top-5. One with all its numbers: minialexnet recipes NAME"
    )
    return 0


def describe(arguments) -> int:
    from minialexnet import networks
    from minialexnet.cost import costs, total
    from minialexnet.run import network

    name = arguments.network
    networks.demand_known(name)
    if arguments.batch < 1:
        raise InputError(f"--batch should be 1 or more, got {arguments.batch}")
    side = networks.SIZES[name]
    net = network(name, networks.CLASSES[name], 0)
    if arguments.towers:
        print(_towers(name, net, side, arguments.batch))
        return 0
    rows = costs(net, (side, side, 3))
    print(f"{name}: {getattr(networks, name).__doc__.splitlines()[0]}\n")
    width = max(len(row.kind) for row in rows)
    print(
        f"{'layer':<9}{'kind':<{width}}  {'output':<15}{'parameters':>12}{'multiply-adds':>16}"
        f"{'output MB':>11}{'unrolled MB':>13}"
    )
    for row in [*rows, total(rows)]:
        print(_line(row, arguments.batch, width))
    images = "a picture" if arguments.batch == 1 else f"{arguments.batch} pictures"
    print(f"\nFor {images} of {side} x {side} pixels; multiply-adds forward, MB of 10^6 bytes.")
    return 0


def _towers(name: str, net, side: int, batch: int) -> str:
    """The exchanges between two towers, beside what sharing the batch costs instead."""
    from minialexnet.ranks.traffic import exchanges, gradient_bytes, one_weird_trick

    rows = exchanges(net, (side, side, 3))
    lines = [
        f"{name} on two ranks: what each sends to the other in a training step, MB of 10^6 bytes\n",
        f"{'for':<10}{'because it':<24}{'forward':>12}{'backward':>12}",
    ]
    for row in rows:
        forward, backward = (batch * size / MB for size in (row.forward, row.backward))
        lines.append(f"{row.layer:<10}{row.why:<24}{forward:>12,.3f}{backward:>12,.3f}")
    forward, backward = (batch * sum(getattr(row, w) for row in rows) / MB for w in WAYS)
    lines.append(f"{'in all':<34}{forward:>12,.3f}{backward:>12,.3f}")
    images = "a picture" if batch == 1 else f"{batch} pictures"
    lines.append(
        f"\nFor {images} of {side} x {side} pixels. Other ways to use two ranks send, each:"
    )
    gradients, trick = gradient_bytes(net) / MB, one_weird_trick(net, (side, side, 3), batch) / MB
    lines.append(f"{'data parallel':<34}{gradients:>12,.3f}  (the gradients of all parameters)")
    lines.append(
        f"{'one weird trick':<34}{trick:>12,.3f}  (data parallel below flatten, towers above)"
    )
    return "\n".join(lines)


def _line(row, batch: int, width: int) -> str:
    def number(value, of: str) -> str:
        return format(value, of) if value else ""

    return (
        f"{row.name:<9}{row.kind:<{width}}  {' x '.join(map(str, row.output)):<15}"
        f" {number(row.parameters, ','):>11} {number(batch * row.multiply_adds, ','):>15}"
        f" {number(batch * row.activation / MB, ',.3f'):>10}"
        f" {number(batch * row.unrolled / MB, ',.3f'):>12}"
    )
