"""minialexnet recipes, minialexnet describe: what there is, as tables."""

from minialexnet.errors import InputError

MB = 1e6


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


def _line(row, batch: int, width: int) -> str:
    def number(value, of: str) -> str:
        return format(value, of) if value else ""

    return (
        f"{row.name:<9}{row.kind:<{width}}  {' x '.join(map(str, row.output)):<15}"
        f" {number(row.parameters, ','):>11} {number(batch * row.multiply_adds, ','):>15}"
        f" {number(batch * row.activation / MB, ',.3f'):>10}"
        f" {number(batch * row.unrolled / MB, ',.3f'):>12}"
    )
