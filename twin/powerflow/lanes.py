"""Vectors of doubles for kernels: a case a lane, so that code written for one case solves sixteen.

The compiler does not vectorise loops over a lane axis by itself (too many pointers that might alias), so the vectors
are a type of their own. LLVM splits them into what the machine has: two AVX-512 registers, four of AVX2, eight of NEON.
A place in memory is an address in bytes; rows of lanes must lie on 64-byte boundaries (see `aligned`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

FloatArray = npt.NDArray[np.float64]
LANES = 16
ROW_BYTES = 8 * LANES
_CONTRACT = ("contract",)  # a*b+c may become one fused instruction; nothing else may change, so NaN stays NaN
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_EIGHT = ir.VectorType(ir.DoubleType(), 8)


class LanesType(types.Type):  # type: ignore[misc]
    """numba's type of a vector of LANES doubles; lives in registers, never in an array."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes{LANES}")


lanes_type = LanesType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


def _splat(builder: Any, value: Any) -> Any:
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


def _pointer(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _VECTOR.as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def load(_typing: Any, _address: Any) -> Any:
    """The row of lanes at an address."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        value = builder.load(_pointer(builder, args[0]))
        value.align = 64
        return value

    return lanes_type(types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def store(_typing: Any, _address: Any, _value: Any) -> Any:
    """Write a row of lanes to an address."""

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        builder.store(args[1], _pointer(builder, args[0])).align = 64
        return context.get_dummy_value()

    return types.void(types.intp, lanes_type), generate


@intrinsic  # type: ignore[untyped-decorator]
def spread(_typing: Any, _value: Any) -> Any:
    """One double in every lane."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _splat(builder, args[0])

    return lanes_type(types.float64), generate


@intrinsic  # type: ignore[untyped-decorator]
def add(_typing: Any, _a: Any, _b: Any) -> Any:
    """Sum."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.fadd(*args, flags=_CONTRACT)

    return lanes_type(lanes_type, lanes_type), generate


@intrinsic  # type: ignore[untyped-decorator]
def sub(_typing: Any, _a: Any, _b: Any) -> Any:
    """Difference a - b."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.fsub(*args, flags=_CONTRACT)

    return lanes_type(lanes_type, lanes_type), generate


@intrinsic  # type: ignore[untyped-decorator]
def mul(_typing: Any, _a: Any, _b: Any) -> Any:
    """Product."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.fmul(*args, flags=_CONTRACT)

    return lanes_type(lanes_type, lanes_type), generate


@intrinsic  # type: ignore[untyped-decorator]
def ratio(_typing: Any, _a: Any, _b: Any) -> Any:
    """Quotient a / b."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.fdiv(*args)

    return lanes_type(lanes_type, lanes_type), generate


@intrinsic  # type: ignore[untyped-decorator]
def all_below(_typing: Any, _a: Any, _b: Any) -> Any:
    """Whether a < b in every lane; NaN is not below."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        bits = ir.IntType(LANES)
        lanes = builder.bitcast(builder.fcmp_ordered("<", *args), bits)
        return builder.icmp_unsigned("==", lanes, ir.Constant(bits, -1))

    return types.boolean(lanes_type, lanes_type), generate


@intrinsic  # type: ignore[untyped-decorator]
def root(_typing: Any, _a: Any) -> Any:
    """The square root."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_VECTOR, [_VECTOR])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{LANES}f64"), args)

    return lanes_type(lanes_type), generate


@intrinsic  # type: ignore[untyped-decorator]
def larger(_typing: Any, _a: Any, _b: Any) -> Any:
    """The larger of a and b; b where either is NaN."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        a, b = args
        return builder.select(builder.fcmp_ordered(">", a, b), a, b)

    return lanes_type(lanes_type, lanes_type), generate


@intrinsic  # type: ignore[untyped-decorator]
def smaller(_typing: Any, _a: Any, _b: Any) -> Any:
    """The smaller of a and b; b where either is NaN."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        a, b = args
        return builder.select(builder.fcmp_ordered("<", a, b), a, b)

    return lanes_type(lanes_type, lanes_type), generate


@intrinsic  # type: ignore[untyped-decorator]
def one_if_above(_typing: Any, _a: Any, _b: Any) -> Any:
    """1.0 in the lanes where a > b, else 0.0."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.uitofp(builder.fcmp_ordered(">", *args), _VECTOR)

    return lanes_type(lanes_type, lanes_type), generate


@intrinsic  # type: ignore[untyped-decorator]
def spread_from(_typing: Any, _address: Any) -> Any:
    """The double at an address, in every lane."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _splat(builder, builder.load(builder.inttoptr(args[0], ir.DoubleType().as_pointer())))

    return lanes_type(types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def number(_typing: Any, _address: Any) -> Any:
    """The whole number that is kept as a double at an address."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        value = builder.load(builder.inttoptr(args[0], ir.DoubleType().as_pointer()))
        return builder.fptosi(value, ir.IntType(64))

    return types.int64(types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def any_nonzero(_typing: Any, _a: Any, _b: Any) -> Any:
    """Whether any lane of a or b differs from zero; NaN does."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        zero = ir.Constant(_VECTOR, [0.0] * LANES)
        lanes = builder.or_(builder.fcmp_unordered("!=", args[0], zero), builder.fcmp_unordered("!=", args[1], zero))
        bits = ir.IntType(LANES)
        return builder.icmp_unsigned("!=", builder.bitcast(lanes, bits), ir.Constant(bits, 0))

    return types.boolean(lanes_type, lanes_type), generate


def _eight_pointer(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _EIGHT.as_pointer())


def _transposed(builder: Any, rows: list[Any]) -> list[Any]:
    """Eight rows of eight doubles, transposed in registers: exchange halves, quarters, then single doubles."""
    for distance in (4, 2, 1):
        first = [c if c & distance == 0 else 8 + c - distance for c in range(8)]
        second = [c + distance if c & distance == 0 else 8 + c for c in range(8)]
        for i in (i for i in range(8) if i & distance == 0):
            a, b = rows[i], rows[i + distance]
            rows[i], rows[i + distance] = (
                builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), 8), mask))
                for mask in (first, second)
            )
    return rows


@intrinsic  # type: ignore[untyped-decorator]
def gather_eight(_typing: Any, _cases: Any, _offset: Any, _scale: Any, _out: Any, _stride: Any) -> Any:
    """Eight doubles of eight cases into eight rows of lanes.

    cases: address of eight addresses; offset: bytes from each; out: address of the first row; stride: bytes between.
    """

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        cases, offset, scale, out, stride = args
        rows = []
        for i in range(8):
            at = builder.load(builder.inttoptr(builder.add(cases, _int(8 * i)), ir.IntType(64).as_pointer()))
            rows.append(builder.load(_eight_pointer(builder, builder.add(at, offset))))
            rows[-1].align = 8
        undefined = ir.Constant(_EIGHT, ir.Undefined)
        factor = builder.insert_element(undefined, scale, ir.Constant(ir.IntType(32), 0))
        factor = builder.shuffle_vector(factor, undefined, ir.Constant(ir.VectorType(ir.IntType(32), 8), [0] * 8))
        for i, row in enumerate(_transposed(builder, rows)):
            target = _eight_pointer(builder, builder.add(out, builder.mul(stride, _int(i))))
            builder.store(builder.fmul(row, factor), target).align = 64
        return _context.get_dummy_value()

    return types.void(types.intp, types.intp, types.float64, types.intp, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def scatter_eight(_typing: Any, _rows: Any, _stride: Any, _cases: Any, _offset: Any) -> Any:
    """Eight rows of lanes into eight doubles of eight cases: the way back of `gather_eight`."""

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        source, stride, cases, offset = args
        rows = []
        for i in range(8):
            rows.append(builder.load(_eight_pointer(builder, builder.add(source, builder.mul(stride, _int(i))))))
            rows[-1].align = 64
        for i, row in enumerate(_transposed(builder, rows)):
            at = builder.load(builder.inttoptr(builder.add(cases, _int(8 * i)), ir.IntType(64).as_pointer()))
            builder.store(row, _eight_pointer(builder, builder.add(at, offset))).align = 8
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp, types.intp), generate


def _int(value: int) -> Any:
    return ir.Constant(ir.IntType(64), value)


def aligned(size: int) -> FloatArray:
    """`size` zeroed doubles that begin on a 64-byte boundary, to be kept as long as a kernel uses their address."""
    raw = np.zeros(size + 8)
    skip = (-raw.ctypes.data % 64) // 8
    return raw[skip : skip + size]
