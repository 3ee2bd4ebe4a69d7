"""Response normalisation: neighbours compete (paper, section 3.3)."""

from minialexnet.backend import namespace
from minialexnet.layers.base import Layer, expect
from minialexnet.windows import taps


class LocalResponseNorm(Layer):
    """Each feature divided by the strength of its neighbours across the channels.

    y[c] = x[c] s[c]^-beta  with  s[c] = k + alpha (sum of x[j]² for the channels j around c)
    dx[j] = dy[j] s[j]^-beta - 2 alpha beta x[j] (sum of dy[c] x[c] s[c]^(-beta-1), c around j)

    Parameters
    ----------
    size : n, how many channels the sum runs over; it is cut off at the first and last channel. An
        even size has one more below than above: c - size//2 ... c - size//2 + size - 1.
    k, alpha, beta : the paper's constants

    x is (..., C), y has its shape.

    Notes
    -----
    Here alpha multiplies the plain sum, as the paper's formula says. cuda-convnet, and after it
    Caffe and PyTorch, divide alpha by n first: their alpha 1e-4 at n = 5 is 2e-5 here, and that is
    what the published network ran with. Caffe also has k = 1.
    """

    def __init__(self, size: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75):
        super().__init__()
        self.size, self.k, self.alpha, self.beta = size, float(k), float(alpha), float(beta)

    def forward(self, x, rng=None):
        scale = _window_sum(x * x, self.size, self.size // 2)
        scale *= self.alpha
        scale += self.k
        return x * _power(scale, -self.beta)[..., : x.shape[-1]], (x, scale)

    def backward(self, dy, cache):
        x, scale = cache
        channels = x.shape[-1]
        dx = dy * _power(scale, -self.beta)[..., :channels]
        # A channel's gradient comes from those whose window holds it: the window mirrored.
        crossed = dx * x
        crossed /= scale[..., :channels]
        crossed = _window_sum(crossed, self.size, self.size - 1 - self.size // 2)
        crossed *= 2 * self.alpha * self.beta
        dx -= x * crossed[..., :channels]
        return dx, {}


def _window_sum(x, size: int, below: int):
    """The sum over the channels c - below ... c - below + size - 1, for each c.

    Parameters
    ----------
    x : (..., C)

    Returns
    -------
    (..., C + size - 1), of which the first C count
    """
    channels = x.shape[-1]
    framed = namespace(x).zeros((*x.shape[:-1], channels + size - 1), x.dtype)
    framed[..., below : below + channels] = x
    # Added up as one long row, which is several times quicker than pixel by pixel; the zeros keep
    # the pixels apart.
    row = framed.reshape(-1)
    total = row.copy()
    for shift in range(1, size):
        total[:-shift] += row[shift:]
    return total.reshape(framed.shape)


class ResponseNorm(Layer):
    """Each feature divided by the strength of its neighbours in the same channel.

    y = x s^-beta  with  s = k + alpha (sum of x² over the size x size pixels around)

    Parameters
    ----------
    size : side of the window, pixels, centred as in `LocalResponseNorm` and cut off at the edges
    k, alpha, beta : as there; alpha multiplies the plain sum

    Notes
    -----
    cuda-convnet's "rnorm" (it divides its scale by size² first), in the CIFAR-10 net of 18 % error
    and, unmentioned in the paper, after the second normalisation of the AlexNet that was run.
    """

    def __init__(self, size: int = 3, k: float = 1.0, alpha: float = 5e-5 / 9, beta: float = 0.75):
        super().__init__()
        self.size, self.k, self.alpha, self.beta = size, float(k), float(alpha), float(beta)

    def forward(self, x, rng=None):
        expect(self, x, "N", "H", "W", "C")
        scale = self.k + self.alpha * self._window_sum(x * x, self.size // 2)
        return x * _power(scale, -self.beta), (x, scale)

    def backward(self, dy, cache):
        x, scale = cache
        dx = dy * _power(scale, -self.beta)
        crossed = self._window_sum(dx * x / scale, self.size - 1 - self.size // 2)
        dx -= (2 * self.alpha * self.beta) * x * crossed
        return dx, {}

    def _window_sum(self, x, before):
        """The sum over the window that begins `before` pixels above and left, for each pixel."""
        total = namespace(x).zeros_like(x)
        for window, pixel in taps(x.shape, x.shape, self.size, 1, before):
            total[window] += x[pixel]
        return total


def _power(x, exponent: float):
    """x to a power, for x > 0: a logarithm and an exponential run faster than pow."""
    xp = namespace(x)
    return xp.exp(exponent * xp.log(x))
