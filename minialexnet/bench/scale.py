"""How much faster many GPUs would be: a formula, its numbers, and what others measured.

Each processor has the same number of images a step, whatever their number n. A ring adds up B bytes
of gradients by sending (n - 1) / n of them twice, in 2 (n - 1) messages:

    T(n) = step + 2 (n - 1) / n B / bandwidth + 2 (n - 1) latency
    speed-up(n) = n step / T(n)

Nothing overlaps in this formula, as nothing does in `train`. Hiding the sum behind the backward
pass would take away at most the whole second term.
"""

from dataclasses import dataclass

PROCESSORS = tuple(2**power for power in range(11))


@dataclass(frozen=True)
class Link:
    """What connects processors.

    Parameters
    ----------
    name : in words
    bandwidth : bytes a second, each way and processor
    latency : seconds a message
    """

    name: str
    bandwidth: float
    latency: float


# Nominal speeds: what a link can do, which programs come near to.
LINKS = (
    Link("10 Gb/s Ethernet", 1.25e9, 50e-6),
    Link("PCIe 2.0 x16", 8e9, 10e-6),
    Link("100 Gb/s InfiniBand", 12.5e9, 2e-6),
    Link("PCIe 4.0 x16", 32e9, 5e-6),
    Link("NVLink of an H100", 450e9, 5e-6),
)


@dataclass(frozen=True)
class Published:
    """What others measured.

    Parameters
    ----------
    what : in words, with the source
    alone : images a second of one processor; None if nobody says
    processors, together : how many, and their images a second
    batch : images of a processor in a step
    """

    what: str
    alone: float | None
    processors: int
    together: float
    batch: int


IMAGES = 1_281_167
# 90 epochs in 98.05 hours on one K20.
K20 = 90 * IMAGES / (98.05 * 3600)
PUBLISHED = (
    Published("8 K20s, one weird trick (Krizhevsky 2014)", K20, 8, 6.25 * K20, 128),
    Published("8 P100s (TensorFlow benchmarks 2017)", 2987, 8, 17822, 512),
    Published("8 A100s (Lambda 2021)", 10187, 8, 75860, 512),
    Published("1024 CPUs, 100 epochs in 11 min (You 2018)", None, 1024, 100 * IMAGES / 660, 32),
    Published("1024 P40s, 95 epochs in 4 min (Jia 2018)", None, 1024, 95 * IMAGES / 240, 64),
)


def speed_up(step: float, gradients: int, link: Link, processors: int) -> float:
    """How many times faster n processors are than one.

    Parameters
    ----------
    step : seconds of a step on one
    gradients : bytes
    """
    n = processors
    sent = 2 * (n - 1) / n * gradients / link.bandwidth + 2 * (n - 1) * link.latency
    return n * step / (step + sent)


def fitting_bandwidth(step: float, gradients: int, processors: int, measured: float) -> float:
    """The bandwidth with which the formula, without latency, gives a measured speed-up."""
    n = processors
    return 2 * (n - 1) / n * gradients / (n * step / measured - step)


def planned(images_per_s: float, batch: int, gradients: int, links=LINKS) -> dict:
    """The table.

    Parameters
    ----------
    images_per_s : of one processor, training
    batch : its images in a step
    gradients : bytes

    Returns
    -------
    step : seconds; gradients : bytes; images_per_s; batch
    speed_ups : {link: {processors: times}}
    """
    step = batch / images_per_s
    return {
        "images_per_s": images_per_s,
        "batch": batch,
        "step": step,
        "gradients": gradients,
        "speed_ups": {
            link.name: {n: speed_up(step, gradients, link, n) for n in PROCESSORS} for link in links
        },
    }


def table(result: dict) -> str:
    """The result of `planned` to read, with the published points below."""
    megabytes = result["gradients"] / 1e6
    lines = [
        f"one processor: {result['images_per_s']:,.1f} images/s, {result['batch']} images in a "
        f"step of {1000 * result['step']:,.1f} ms; {megabytes:,.1f} MB of gradients",
        "speed-up of n processors = n step / (step + 2 (n - 1) / n gradients / bandwidth"
        " + 2 (n - 1) latency)",
        "",
        f"{'link':22}" + "".join(f"{n:>8}" for n in PROCESSORS),
    ]
    for name, row in result["speed_ups"].items():
        lines.append(f"{name:22}" + "".join(f"{times:8,.1f}" for times in row.values()))
    lines += ["", f"{'published, AlexNet':46}{'images/s':>10}{'speed-up':>10}{'bandwidth':>16}"]
    for one in PUBLISHED:
        line = f"{one.what:46}{one.together:10,.0f}"
        if one.alone is not None:
            times, step = one.together / one.alone, one.batch / one.alone
            fits = fitting_bandwidth(step, ALEXNET, one.processors, times)
            line += f"{times:10,.2f}{fits / 1e9:11,.1f} GB/s"
        lines.append(line)
    lines.append(
        "bandwidth: with which the formula gives that speed-up, had all gradients been added up "
        "(one weird trick sends less); latency left out"
    )
    return "\n".join(lines)


# Bytes of AlexNet's gradients.
ALEXNET = 4 * 60_965_224
