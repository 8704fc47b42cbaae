"""The two products that a convolutional network spends its training on, as processors like them.

A product of matrices takes its factors in bfloat16 and adds up in float32: with Intel's AMX, or on a GPU,
that is several times faster than float32 throughout, and no loss has to be scaled. Where JAX's own gradients
are slow on a CPU, they are written out here: a product with a transposed matrix takes seven times as long
unless that matrix is laid out anew, and a sum over two axes at once three times as long as one by one.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jax.experimental.layout import Layout, with_layout_constraint


@jax.custom_vjp
def product(values: Array, weights: Array) -> Array:
    """Return ``values @ weights`` in float32 of factors rounded to bfloat16.

    Parameters
    ----------
    values : Array
        Shape ``(..., inputs)``.
    weights : Array
        Shape ``(inputs, outputs)``.
    """
    return _rounded_product(values, weights)[0]


def _rounded_product(values: Array, weights: Array) -> tuple[Array, tuple[Array, Array]]:
    rounded = values.astype(jnp.bfloat16), weights.astype(jnp.bfloat16)
    return jnp.matmul(*rounded, preferred_element_type=jnp.float32), rounded


def _product_gradients(rounded: tuple[Array, Array], slope: Array) -> tuple[Array, Array]:
    values, weights = rounded
    slope = slope.astype(jnp.bfloat16)
    rows = slope.reshape(-1, slope.shape[-1])
    columns: Array = with_layout_constraint(  # type: ignore[no-untyped-call]
        values.reshape(-1, values.shape[-1]).T, Layout((0, 1))
    )
    inputs = ((slope.ndim - 1,), (1,)), ((), ())
    return (
        jax.lax.dot_general(slope, weights, inputs, preferred_element_type=jnp.float32),
        jnp.matmul(columns, rows, preferred_element_type=jnp.float32),
    )


product.defvjp(_rounded_product, _product_gradients)


@jax.custom_vjp
def depthwise(values: Array, kernel: Array) -> Array:
    """Return each channel's causal convolution with its own kernel: the past before the first frame is zero.

    Parameters
    ----------
    values : Array
        Shape ``(batch, frames, channels)``.
    kernel : Array
        Shape ``(places, channels)``, the place of the frame itself last.
    """
    return _summed_places(_with_past(values, kernel), kernel, values.shape[1])


def _with_past(values: Array, kernel: Array) -> Array:
    return jnp.pad(values, ((0, 0), (len(kernel) - 1, 0), (0, 0)))


def _summed_places(padded: Array, kernel: Array, frames: int) -> Array:
    places = (padded[:, place : place + frames] * weight for place, weight in enumerate(kernel))
    return sum(places, start=jnp.zeros_like(padded[:, :frames]))


def _depthwise_kept(values: Array, kernel: Array) -> tuple[Array, tuple[Array, Array]]:
    return depthwise(values, kernel), (values, kernel)


def _depthwise_gradients(kept: tuple[Array, Array], slope: Array) -> tuple[Array, Array]:
    values, kernel = kept
    frames = values.shape[1]
    future = jnp.pad(slope, ((0, 0), (0, len(kernel) - 1), (0, 0)))

    def added(total: Array, one: tuple[Array, Array]) -> tuple[Array, None]:
        padded, own_slope = one
        places = [(padded[place : place + frames] * own_slope).sum(axis=0) for place in range(len(kernel))]
        return total + jnp.stack(places), None

    of_kernel, _ = jax.lax.scan(added, jnp.zeros_like(kernel), (_with_past(values, kernel), slope))
    return _summed_places(future, kernel[::-1], frames), of_kernel


depthwise.defvjp(_depthwise_kept, _depthwise_gradients)
