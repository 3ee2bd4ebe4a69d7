"""The best-known way in which AlexNet fails: the loss that does not move from ln(classes)."""

import math


def stuck(loss: float, classes: int) -> bool:
    """Whether a mean loss lies within 1 % of ln(classes), what guessing costs.

    Parameters
    ----------
    loss : nats
    """
    return abs(loss - math.log(classes)) <= 0.01 * math.log(classes)


def activation_scales(net, x, device) -> list[tuple[str, float]]:
    """The standard deviation of every layer's output, from first to last.

    A healthy network keeps it between, say, 0.01 and 100. Where it fades to nothing or explodes,
    the initial weights or the learning rate are to blame.

    Parameters
    ----------
    net : a `Network`
    x : its input
    """
    scales = []
    for name, layer in net.layers.items():
        x = layer(x)
        # float32 would overflow from 1e19 on, which is when this is looked at.
        scales.append((name, float(device.get(x).std(dtype="float64"))))
    return scales


def report(scales: list[tuple[str, float]]) -> str:
    """The scales as lines to print."""
    return "\n".join(f"  {name:<10} {scale:10.3g}" for name, scale in scales)
