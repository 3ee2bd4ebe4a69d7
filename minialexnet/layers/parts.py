"""A convolution on part of the batch at a time, so that what it unrolls stays within a limit."""

from minialexnet.backend import namespace
from minialexnet.layers.base import Layer, Wrapper
from minialexnet.windows import output_size


class InParts(Wrapper):
    """The same convolution, part of the batch after part, in a workspace of limited size.

    Parameters
    ----------
    layer : `Conv2D` or `LocallyConnected2D`
    limit : bytes that its unrolled windows may take; those of a single image may take more

    Notes
    -----
    A batch that fits goes through in one piece, as if this were not here. In several pieces results
    agree to rounding, not to the bit: gradients of the weights are added up part by part.
    """

    def __init__(self, layer: Layer, limit: int):
        super().__init__(layer)
        self.limit = limit

    def forward(self, x, rng=None):
        images = self._images(x)
        ys, caches = zip(*(self.layer.forward(part, rng) for part in _cut(x, images)), strict=True)
        return _joined(ys), (images, list(caches))

    def backward(self, dy, cache):
        images, caches = cache
        dxs, total = [], {}
        for part in _cut(dy, images):
            dx, grads = self.layer.backward(part, caches.pop(0))
            dxs.append(dx)
            total = {name: total[name] + grad for name, grad in grads.items()} if total else grads
        return (_joined(dxs) if self.input_grad else None), total

    def _images(self, x) -> int:
        """How many images a part has."""
        each = x.dtype.itemsize * unrolled(self.layer, x.shape[1:])
        return max(1, self.limit // each)


def unrolled(layer, shape) -> int:
    """How many numbers a convolution unrolls for one image, forward or backward: the larger.

    Parameters
    ----------
    shape : (H, W, C) of the image
    """
    (top, bottom), (left, right) = layer.pad
    height, width, channels = shape
    rows = output_size(top + height + bottom, layer.kernel, layer.stride)
    columns = output_size(left + width + right, layer.kernel, layer.stride)
    window = layer.kernel * layer.kernel
    forward = rows * columns * window * channels
    # At stride 1 the gradient in the input is a convolution of dy, which has O channels.
    backward = height * width * window * layer.filters if layer.stride == 1 else 0
    return max(forward, backward)


def _cut(x, images: int) -> list:
    return [x[first : first + images] for first in range(0, len(x), images)]


def _joined(parts):
    return parts[0] if len(parts) == 1 else namespace(*parts).concatenate(parts)
