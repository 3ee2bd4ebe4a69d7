"""What was measured, as a table to read."""

GIGA = 1e9


def speeds(result: dict) -> str:
    """The result of `turns.measured`, in words."""
    work = result["work"]
    parts = list(result["contenders"]["minialexnet"]["seconds"])
    how = f"{work['threads']} threads, engine {work['engine']}"
    if work["device"] != "cpu":
        how = work["device"]
    precision = "" if work["precision"] == "float32" else f", {work['precision']}"
    lines = [
        f"{work['network']}, {work['task']}, batch {work['batch']}, {how}{precision}; medians",
        f"{'':24}{'images/s':>9}"
        + "".join(f"{part + ' ms':>13}" for part in parts)
        + f"{'memory MB':>11}",
    ]
    for name, one in result["contenders"].items():
        times = "".join(f"{1000 * _median(one['seconds'][part]):13,.1f}" for part in parts)
        lines.append(f"{name:24}{one['images_per_s']:9,.1f}{times}{one['memory'] / 2**20:11,.0f}")
    if "ratio" in result:
        ratio = result["ratio"]
        lines.append(
            f"{ratio['median']:.2f} times {ratio['to']} "
            f"({ratio['lowest']:.2f} to {ratio['highest']:.2f} over the rounds)"
        )
    if "peak" in result:
        lines.append(
            f"{result['share_of_peak']:.0%} of a big matrix product's "
            f"{result['peak'] / GIGA:,.0f} G multiply-adds/s, counting what plain convolution needs"
        )
    if "imagenet_hours" in result:
        lines.append(f"90 epochs of ImageNet would take {result['imagenet_hours']:,.0f} hours")
    return "\n".join(lines)


def layers(rows: list[dict]) -> str:
    """The result of `layers.layer_times`, in words."""
    whole = sum(row["forward"] + row["backward"] for row in rows)
    limits = "share_of_peak" in rows[0]
    last = f"{'of the peak':>13}{'of copying':>12}" if limits else f"{SPEED:>27}"
    lines = [
        f"{'layer':10}{'images':>7}{'forward us':>12}{'backward us':>12}{'share':>7}{last}",
        *(_layer(row, whole, limits) for row in rows),
    ]
    where = "of the whole batch" if limits else "on one thread but for a big head"
    lines.append(f"in all {whole:,.0f} us an image, {where}")
    return "\n".join(lines)


SPEED = "forward G multiply-adds/s"


def _layer(row: dict, whole: float, limits: bool) -> str:
    both = row["forward"] + row["backward"]
    line = (
        f"{row['layer']:10}{row['images']:7}{row['forward']:12,.1f}{row['backward']:12,.1f}"
        f"{both / whole:7.1%}"
    )
    if limits:
        peak = f"{row['share_of_peak']:.0%}" if row["multiply_adds"] else ""
        return f"{line}{peak:>13}{row['share_of_copy']:12.0%}"
    speed = row["multiply_adds"] / row["forward"] / 1000
    return line + (f"{speed:27,.1f}" if row["multiply_adds"] else "")


def loop(result: dict) -> str:
    """The result of `loop.loop_speed`, with the speed of the bare step, in words."""
    share = result["images_per_s"] / result["bare_images_per_s"]
    return (
        f"the whole loop, batch {result['batch']}: {result['images_per_s']:,.0f} images/s over "
        f"{result['steps']} steps, {share:.0%} of the bare step's "
        f"{result['bare_images_per_s']:,.0f}; {result['waited']:.1%} of the time waits for pictures"
    )


def feeding(result: dict) -> str:
    """The result of `feeding.feeding_speeds`, in words."""
    crop, size = result["crop"], result["size"]
    lines = [
        f"{result['pictures']:,} pictures of {size} x {size} pixels in the system's memory, parts "
        f"of {crop} x {crop}, batch {result['batch']}; medians",
        f"{'copying memory':32}{_median(result['speeds']['copying']) / GIGA:10,.2f} GB/s",
    ]
    for kind, share in result["shares"].items():
        speed = _median(result["speeds"][kind])
        lines.append(
            f"{kind:32}{speed * crop * crop * 3 / GIGA:10,.2f} GB/s{speed:10,.0f} images/s, "
            f"{share:.0%} of copying"
        )
    return "\n".join(lines)


def _median(values: list[float]) -> float:
    values = sorted(values)
    middle = len(values) // 2
    return (values[middle] + values[~middle]) / 2
