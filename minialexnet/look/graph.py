"""A computation as a graph: values flow to the right, gradients back to the left."""

from matplotlib.figure import Figure

from minialexnet.look.style import BLUE, INK, ORANGE, readable


@readable
def graph(nodes: dict[str, str], edges, values=None, gradients=None) -> Figure:
    """Nodes in columns, each to the right of all that it is worked out from.

    Parameters
    ----------
    nodes : {name: what is written into it}, mathematics between $ signs
    edges : pairs (from, to) of names
    values, gradients : {name: number}, written above (blue) and below (orange) the nodes
    """
    values, gradients = values or {}, gradients or {}
    places = _places(nodes, edges)
    wide = 1 + max(x for x, _ in places.values())
    tall = 1 + max(abs(y) for _, y in places.values()) * 2
    figure = Figure(figsize=(1.55 * wide, 1.15 * tall + 0.2), layout="constrained")
    axes = figure.subplots()
    for source, to in edges:
        line = {"arrowstyle": "-|>", "color": INK, "shrinkA": 17, "shrinkB": 17, "lw": 1.2}
        axes.annotate("", places[to], places[source], arrowprops=line)
    for name, (x, y) in places.items():
        leaf = all(to != name for _, to in edges)
        round_ = {"boxstyle": "circle,pad=0.25" if not leaf else "round,pad=0.35"}
        box = {**round_, "facecolor": "#7d859022", "edgecolor": INK}
        axes.text(x, y, nodes[name], ha="center", va="center", size=12, bbox=box)
        for shown, above, colour in ((values, 1, BLUE), (gradients, -1, ORANGE)):
            if name in shown:
                where = {"ha": "center", "va": "bottom" if above > 0 else "top", "color": colour}
                axes.text(x, y + 0.2 * above, f"{shown[name]:.4g}", size=10, **where)
    axes.set(xlim=(-0.5, wide - 0.5), ylim=(-tall / 2, tall / 2))
    axes.set_axis_off()
    return figure


def _places(nodes, edges) -> dict[str, tuple[float, float]]:
    """A column for each step of the longest way to a node, the nodes of a column spread evenly."""
    depth = dict.fromkeys(nodes, 0)
    for _ in nodes:
        for source, to in edges:
            depth[to] = max(depth[to], depth[source] + 1)
    # A leaf stands right before the first that needs it.
    for name in nodes:
        readers = [depth[to] for source, to in edges if source == name]
        if readers and all(to != name for _, to in edges):
            depth[name] = min(readers) - 1
    places = {}
    for column in set(depth.values()):
        here = [name for name in nodes if depth[name] == column]
        for n, name in enumerate(here):
            places[name] = column, (len(here) - 1) / 2 - n
    return places
