"""Ops in the forms that opsets give them, imported and compared with ONNX Runtime: forms.py BUILD [NAME...]

Attributes became inputs, defaults changed, axes may be left out: each form is a small file of the opsets in which it was new or
the last. What graphrun makes of it, for another number of rows where the batch is open, is held against ONNX Runtime. Packages
come as for compare.py. Exits 77, which ctest takes for skipped, where they cannot be had.
"""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from compare import SKIPPED, python_with_packages

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
except ImportError:  # those of the venv, then
    build = pathlib.Path(sys.argv[1])
    python = python_with_packages(build)
    if python is None or python == sys.executable:
        print("onnx and onnxruntime are not here and cannot be installed")
        sys.exit(SKIPPED)
    sys.exit(subprocess.run([python, *sys.argv]).returncode)

TOLERANCE = "1e-5"
ROWS = 3
IMAGES = (3, 8, 8)
FLOAT, LONG = TensorProto.FLOAT, TensorProto.INT64
generator = np.random.default_rng(3)


def floats(*shape):
    return generator.standard_normal(shape).astype(np.float32)


def positive(*shape):
    return np.abs(floats(*shape)) + 0.5


def longs(*values):
    return np.array(values, dtype=np.int64)


def whole(value):
    return np.array(value, dtype=np.int64)


def node(op, inputs, outputs, **attributes):
    """Words are names; "_" is one that is left out."""
    def names(words):
        return ["" if word == "_" else word for word in words.split()]

    return helper.make_node(op, names(inputs), names(outputs), **attributes)


class Case:
    """A file with one free batch, unless `rows` says how many there are."""

    def __init__(self, name, opsets, nodes, weights=None, shape=IMAGES, outputs="y", inputs=None, draw=None, kinds=None, rows="N",
                 weights_as_inputs=False, functions=(), ir=None):
        self.name, self.opsets, self.nodes, self.weights = name, opsets, nodes, weights or {}
        self.inputs, self.outputs, self.draw = inputs or {"x": (np.float32, shape)}, outputs.split(), draw
        self.kinds, self.rows, self.functions, self.ir = kinds or [FLOAT] * len(self.outputs), rows, functions, ir
        self.weights_as_inputs = weights_as_inputs  # as files of IR 3 have them

    def model(self, opset):
        inputs = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), [self.rows, *shape])
                  for name, (dtype, shape) in self.inputs.items()]
        outputs = [helper.make_tensor_value_info(name, kind, None) for name, kind in zip(self.outputs, self.kinds)]
        weights = [value if isinstance(value, TensorProto) else numpy_helper.from_array(np.asarray(value), name)
                   for name, value in self.weights.items()]
        if self.weights_as_inputs:
            inputs += [helper.make_tensor_value_info(weight.name, weight.data_type, list(weight.dims)) for weight in weights]
        versions = [helper.make_opsetid("", opset)] + [helper.make_opsetid("local", 1)] * bool(self.functions)
        ir = self.ir or (3 if self.weights_as_inputs else min(10, max(4, opset // 2)))
        return helper.make_model(helper.make_graph(self.nodes, "g", inputs, outputs, weights), opset_imports=versions, ir_version=ir,
                                 functions=self.functions)

    def feeds(self):
        if self.draw:
            return {name: self.draw() for name in self.inputs}
        return {name: floats(ROWS, *shape) if dtype == np.float32 else generator.integers(0, 5, (ROWS, *shape)).astype(dtype)
                for name, (dtype, shape) in self.inputs.items()}


CASES = []


def case(name, opsets, nodes, *args, **options):
    CASES.append(Case(name, opsets, nodes if isinstance(nodes, list) else [nodes], *args, **options))


def bn(**attributes):
    return [node("BatchNormalization", "x gain shift mean var", "y", **attributes)]


W4 = {"gain": floats(3), "shift": floats(3), "mean": floats(3), "var": positive(3)}

case("clip_attributes", [7, 10], node("Clip", "x", "y", min=-0.5, max=0.7))
case("clip_one_attribute", [7, 10], node("Clip", "x", "y", min=0.1))
case("clip_inputs", [11, 12, 13, 22], node("Clip", "x low high", "y"), {"low": np.float32(-0.5), "high": np.float32(0.7)})
case("clip_left_out", [11, 13], [node("Clip", "x _ high", "y")], {"high": np.float32(0.7)})
case("clip_constant_node", [11, 13], [node("Constant", "", "low", value=numpy_helper.from_array(np.float32(0.0))), node("Clip", "x low",
     "y")])
case("squeeze_attribute", [7, 11, 12], node("Squeeze", "x", "y", axes=[2]), shape=(3, 1, 4))
case("squeeze_negative", [11, 12], node("Squeeze", "x", "y", axes=[-2]), shape=(3, 1, 4))
case("squeeze_input", [13, 21], node("Squeeze", "x axes", "y"), {"axes": longs(2)}, shape=(3, 1, 4))
case("squeeze_all", [13], node("Squeeze", "x", "y"), shape=(1, 4, 1))
case("unsqueeze_attribute", [7, 11], node("Unsqueeze", "x", "y", axes=[1, 3]), shape=(3,))
case("unsqueeze_input", [13, 21], node("Unsqueeze", "x axes", "y"), {"axes": longs(-1, 1)}, shape=(3,))
for op in ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSumExp",
     "ReduceSumSquare", "ReduceLogSum"]:
    draw = (lambda: positive(ROWS, 3, 4)) if op == "ReduceLogSum" else None
    case(f"{op}_attribute", [7, 11, 13 if op != "ReduceSum" else 12], node(op, "x", "y", axes=[1], keepdims=0), shape=(3, 4), draw=draw)
    case(f"{op}_input", [18, 20] if op != "ReduceSum" else [13, 18], node(op, "x axes", "y", keepdims=1), {"axes": longs(-1)}, shape=(3,
         4), draw=draw)
    case(f"{op}_two", [18], node(op, "x axes", "y", keepdims=0), {"axes": longs(1, -1)}, shape=(3, 4), draw=draw)
    case(f"{op}_noop", [18], node(op, "x", "y", noop_with_empty_axes=1), shape=(3, 4), draw=draw)
    case(f"{op}_empty_noop", [18], node(op, "x axes", "y", noop_with_empty_axes=1), {"axes": longs()}, shape=(3, 4), draw=draw)
case("slice_attributes", [7, 9], node("Slice", "x", "y", starts=[1, 0], ends=[3, -1], axes=[2, 3]))
case("slice_no_axes", [7], node("Slice", "x", "y", starts=[0, 1], ends=[1 << 31, 3]))
case("slice_inputs", [10, 11, 13], node("Slice", "x s e a t", "y"), {"s": longs(1, -1), "e": longs(1 << 62, -9), "a": longs(2, 3),
     "t": longs(2, -2)})
case("slice_int32", [10, 13], node("Slice", "x s e a", "y"), {"s": np.array([1], np.int32), "e": np.array([2147483647], np.int32),
     "a": np.array([-1], np.int32)})
case("slice_batch_end", [10, 13], node("Slice", "x s e a", "y"), {"s": longs(0, 1), "e": longs(9223372036854775807, 3), "a": longs(0, 1)})
case("pad_attributes", [7, 10], node("Pad", "x", "y", pads=[0, 0, 1, 2, 0, 0, 0, 1], value=0.5))
case("pad_reflect", [7, 10], node("Pad", "x", "y", mode="reflect", pads=[0, 0, 1, 2, 0, 0, 2, 1]))
case("pad_inputs", [11, 13, 18], node("Pad", "x p v", "y"), {"p": longs(0, 0, 1, 2, 0, 0, 0, 1), "v": np.float32(2)})
case("pad_axes", [18, 21], node("Pad", "x p v a", "y", mode="constant"), {"p": longs(1, 2, 0, 1), "v": np.float32(1),
     "a": longs(2, -1)})
case("pad_axes_no_value", [18], [node("Pad", "x p _ a", "y", mode="edge")], {"p": longs(1, 2, 0, 1), "a": longs(2, 3)})
case("pad_wrap", [19, 21], [node("Pad", "x p", "y", mode="wrap")], {"p": longs(0, 0, 1, 2, 0, 0, 3, 1)})
case("upsample_attribute", [7], node("Upsample", "x", "y", scales=[1.0, 1.0, 2.0, 2.0]))
case("upsample_linear", [7], node("Upsample", "x", "y", mode="linear", scales=[1.0, 1.0, 2.0, 3.0]))
case("upsample_input", [9], node("Upsample", "x s", "y", mode="linear"), {"s": np.array([1, 1, 2, 2], np.float32)})
case("upsample_bilinear", [9], node("Upsample", "x s", "y", mode="linear"), {"s": np.array([1, 1, 1.5, 2], np.float32)})
case("resize_10", [10], node("Resize", "x s", "y"), {"s": np.array([1, 1, 2, 0.5], np.float32)})
case("resize_10_linear", [10], node("Resize", "x s", "y", mode="linear"), {"s": np.array([1, 1, 1.5, 2], np.float32)})
# With these scales ONNX Runtime aligns corners by the whole pixels of the result, onnx by its exact size.
SMALL_ALIGNED = {"align_corners"}
for coordinates in ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel", "tf_half_pixel_for_nn"]:
    for mode in ["nearest", "linear", "cubic"]:
        if coordinates == "tf_half_pixel_for_nn" and mode != "nearest":
            continue
        opsets = [11] if coordinates == "tf_half_pixel_for_nn" else [11, 13, 18, 19]
        case(f"resize_scales_{coordinates}_{mode}", opsets, node("Resize", "x roi s", "y", mode=mode,
        coordinate_transformation_mode=coordinates),
             {"roi": np.zeros(0, np.float32), "s": np.array([1, 1, 2, 2.5], np.float32)})
        case(f"resize_sizes_{coordinates}_{mode}", [13, 18], [node("Resize", "x _ _ z", "y", mode=mode,
        coordinate_transformation_mode=coordinates)],
             {"z": longs(ROWS, 3, 5, 12)}, rows=ROWS)
        if coordinates not in SMALL_ALIGNED:
            case(f"resize_small_{coordinates}_{mode}", opsets[-1:], node("Resize", "x roi s", "y", mode=mode,
        coordinate_transformation_mode=coordinates),
                 {"roi": np.zeros(0, np.float32), "s": np.array([1, 1, 0.5, 0.6], np.float32)})
case("resize_axes", [18, 19], [node("Resize", "x _ _ z", "y", axes=[2, 3], mode="linear")], {"z": longs(16, 12)})
case("resize_axes_policy", [18], [node("Resize", "x _ _ z", "y", axes=[2, 3], mode="linear", keep_aspect_ratio_policy="not_larger")],
     {"z": longs(16, 12)})
case("resize_antialias", [18], [node("Resize", "x _ s", "y", mode="linear", antialias=1)], {"s": np.array([1, 1, 0.5, 0.5], np.float32)})
case("resize_symmetric", [19], [node("Resize", "x _ s", "y", mode="linear", coordinate_transformation_mode="half_pixel_symmetric")],
     {"s": np.array([1, 1, 1.3, 0.7], np.float32)})
case("resize_from_shape", [13], [node("Shape", "x", "s"), node("Slice", "s zero two", "bc"), node("Concat", "bc hw", "z", axis=0),
     node("Resize", "x _ _ z", "y", mode="nearest")], {"zero": longs(0), "two": longs(2), "hw": longs(16, 16)})
case("dropout_old", [7, 10, 11], node("Dropout", "x", "y", ratio=0.3))
case("dropout_new", [12, 13, 22], node("Dropout", "x r", "y mask"), {"r": np.float32(0.3)})
case("dropout_training_false", [12, 13], node("Dropout", "x r t", "y"), {"r": np.float32(0.3), "t": np.array(False)})
case("batch_norm", [7, 9, 14, 15], bn(epsilon=1e-3), W4)
case("batch_norm_vector", [7, 15], bn(), W4, shape=(3,))
case("softmax_axis_1", [7, 11, 12], node("Softmax", "x", "y", axis=1), shape=(4, 5))
case("softmax_default", [7, 11, 12, 13], node("Softmax", "x", "y"), shape=(4, 5))
case("softmax_last", [11, 13], node("Softmax", "x", "y", axis=-1), shape=(4, 5))
case("softmax_13_axis_1", [13, 21], node("Softmax", "x", "y", axis=1), shape=(4, 5))
case("log_softmax_default", [11, 13], node("LogSoftmax", "x", "y"), shape=(4, 5))
case("hardmax", [11, 13], node("Hardmax", "x", "y"), shape=(5,))
case("topk_attribute", [7, 9], node("TopK", "x", "y i", k=2, axis=1), shape=(6,), outputs="y i", kinds=[FLOAT, LONG])
case("topk_input", [10, 11], node("TopK", "x k", "y i", axis=1), {"k": longs(2)}, shape=(6,), outputs="y i", kinds=[FLOAT, LONG])
case("topk_smallest", [11], node("TopK", "x k", "y i", axis=-1, largest=0), {"k": longs(3)}, shape=(2, 6), outputs="y i", kinds=[FLOAT,
     LONG])
case("split_attribute", [7, 11], node("Split", "x", "a y", axis=1, split=[1, 2]), outputs="a y")
case("split_equal", [7, 13], node("Split", "x", "a b y", axis=1), outputs="a b y")
case("split_input", [13, 18], node("Split", "x s", "a y", axis=-1), {"s": longs(3, 5)}, outputs="a y")
case("split_num_outputs", [18], node("Split", "x", "a b y", axis=2, num_outputs=3), outputs="a b y")
case("cast", [9, 13, 19], [node("Cast", "x", "i", to=LONG), node("Cast", "i", "y", to=FLOAT)])
case("cast_bool", [9, 13], [node("Cast", "x", "b", to=TensorProto.BOOL), node("Not", "b", "n"), node("Cast", "n", "y", to=FLOAT)])
case("cast_half", [9, 13, 19], [node("Cast", "x", "h", to=TensorProto.FLOAT16), node("Relu", "h", "r"), node("Cast", "r", "y", to=FLOAT)])
case("cast_double", [9, 13], [node("Cast", "x", "h", to=TensorProto.DOUBLE), node("Sqrt", "h", "r"), node("Cast", "r", "y", to=FLOAT)],
     draw=lambda: positive(ROWS, *IMAGES))
case("gelu", [20], node("Gelu", "x", "y"))
case("gelu_tanh", [20, 21], node("Gelu", "x", "y", approximate="tanh"))
case("group_norm_18", [18], node("GroupNormalization", "x s b", "y", num_groups=2), {"s": floats(2), "b": floats(2)}, shape=(4, 5, 5), ir=8)
case("group_norm_21", [21], node("GroupNormalization", "x s b", "y", num_groups=2), {"s": floats(4), "b": floats(4)}, shape=(4, 5, 5))
case("layer_norm", [17], node("LayerNormalization", "x s b", "y", axis=-1), {"s": floats(6), "b": floats(6)}, shape=(4, 6))
case("layer_norm_axis_1", [17], node("LayerNormalization", "x s", "y", axis=1), {"s": floats(4, 6)}, shape=(4, 6))
case("instance_norm", [7, 22], node("InstanceNormalization", "x s b", "y"), {"s": floats(3), "b": floats(3)})
case("lp_norm", [7], node("LpNormalization", "x", "y", axis=1, p=2), shape=(6,))
case("mvn", [9, 13], node("MeanVarianceNormalization", "x", "y", axes=[2, 3]))
case("lrn", [7, 13], node("LRN", "x", "y", size=3))
case("reshape_zero", [7, 13], node("Reshape", "x s", "y"), {"s": longs(0, -1)})
case("reshape_minus", [7, 13], node("Reshape", "x s", "y"), {"s": longs(-1, 3, 64)})
case("reshape_allowzero", [14, 21], node("Reshape", "x s", "y", allowzero=1), {"s": longs(-1, 192)})
case("flatten", [7, 9, 11], node("Flatten", "x", "y", axis=2))
case("flatten_negative", [11, 13], node("Flatten", "x", "y", axis=-1))
case("gemm", [7, 9, 11, 13], node("Gemm", "x w b", "y", alpha=0.5, beta=2.0, transB=1), {"w": floats(4, 6), "b": floats(4)}, shape=(6,))
case("gemm_no_bias", [11, 13], node("Gemm", "x w", "y"), {"w": floats(6, 4)}, shape=(6,))
case("gemm_scalar_bias", [7, 11], node("Gemm", "x w b", "y"), {"w": floats(6, 4), "b": floats(1)}, shape=(6,))
case("matmul", [7, 9, 13], node("MatMul", "x w", "y"), {"w": floats(6, 4)}, shape=(5, 6))
case("matmul_vector", [9], node("MatMul", "x w", "y"), {"w": floats(6)}, shape=(5, 6))
case("prelu", [7, 9, 16], node("PRelu", "x s", "y"), {"s": np.abs(floats(3, 1, 1))})
case("prelu_scalar", [9], node("PRelu", "x s", "y"), {"s": np.abs(floats(1))})
case("pow_int", [12, 15], [node("Pow", "x two", "y")], {"two": longs(2)})
case("pow_int32", [12, 15], [node("Pow", "x three", "y")], {"three": np.array(3, np.int32)})
case("mod_float", [10, 13], node("Mod", "x m", "y", fmod=1), {"m": np.float32(0.3)})
case("leaky", [7, 16], node("LeakyRelu", "x", "y", alpha=0.2))
case("elu_selu", [7, 22], [node("Elu", "x", "e", alpha=0.5), node("Selu", "e", "y")])
case("hardsigmoid", [7, 22], [node("HardSigmoid", "x", "e"), node("HardSigmoid", "e", "y", alpha=0.3, beta=0.2)])
case("hardswish", [14, 22], node("HardSwish", "x", "y"))
case("mish", [18, 22], node("Mish", "x", "y"))
case("celu", [12], node("Celu", "x", "y", alpha=0.7))
case("thresholded", [10, 22], node("ThresholdedRelu", "x", "y", alpha=0.3))
case("shrink", [9], node("Shrink", "x", "y", bias=0.1, lambd=0.2))
case("trig", [7, 22], [node("Sin", "x", "a"), node("Cos", "a", "b"), node("Tan", "b", "y")])
case("inverse_trig", [7, 22], [node("Tanh", "x", "t"), node("Asin", "t", "a"), node("Acos", "t", "b"), node("Atan", "x", "c"),
     node("Sum", "a b c", "y")])
case("hyperbolic", [9, 22], [node("Sinh", "x", "a"), node("Asinh", "x", "b"), node("Cosh", "x", "c"), node("Add", "c one", "c1"),
     node("Acosh", "c1", "d"), node("Tanh", "x", "t"), node("Mul", "t half", "h"), node("Atanh", "h", "e"), node("Sum", "a b d e", "y")],
     {"half": np.float32(0.5), "one": np.float32(1)})
case("round_floor", [11, 13], [node("Mul", "x k", "a"), node("Round", "a", "b"), node("Floor", "x", "c"), node("Ceil", "x", "d"),
     node("Sum", "b c d", "y")], {"k": np.float32(2)})
case("max_min_variadic", [8, 12, 13], [node("Max", "x a b", "m"), node("Min", "m c", "n"), node("Mean", "n x", "y")],
     {"a": np.float32(0.1), "b": floats(3, 1, 1), "c": np.float32(0.8)})
case("max_pool", [7, 8, 10, 12], node("MaxPool", "x", "y", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 0]))
case("max_pool_ceil", [10, 12, 22], node("MaxPool", "x", "y", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1))
case("max_pool_dilated", [10, 12], node("MaxPool", "x", "y", kernel_shape=[2, 2], dilations=[2, 2]))
case("max_pool_same", [7, 11], node("MaxPool", "x", "y", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"))
case("max_pool_same_lower", [7, 11], node("MaxPool", "x", "y", kernel_shape=[2, 2], strides=[1, 1], auto_pad="SAME_LOWER"))
case("average_pool", [7, 10, 11, 19, 22], node("AveragePool", "x", "y", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]))
case("average_pool_all", [7, 11, 19], node("AveragePool", "x", "y", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1))
case("average_pool_ceil", [10, 11, 19], node("AveragePool", "x", "y", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1))
case("average_pool_dilated", [19], node("AveragePool", "x", "y", kernel_shape=[2, 2], dilations=[2, 2]))
case("global_pools", [7, 22], [node("GlobalAveragePool", "x", "a"), node("GlobalMaxPool", "x", "b"), node("Add", "a b", "y")])
case("lp_pool", [11, 18], node("LpPool", "x", "y", kernel_shape=[2, 2], strides=[2, 2]))
case("global_lp_pool", [7], node("GlobalLpPool", "x", "y", p=2))
case("conv", [7, 11, 22], node("Conv", "x w b", "y", pads=[1, 0, 1, 2], strides=[2, 1]), {"w": floats(4, 3, 3, 3), "b": floats(4)})
case("conv_same_upper", [7, 11], node("Conv", "x w", "y", auto_pad="SAME_UPPER", strides=[2, 2]), {"w": floats(4, 3, 3, 3)})
case("conv_same_lower", [7, 11], node("Conv", "x w", "y", auto_pad="SAME_LOWER", strides=[2, 2]), {"w": floats(4, 3, 4, 4)})
case("conv_valid", [7, 11], node("Conv", "x w", "y", auto_pad="VALID", kernel_shape=[3, 3]), {"w": floats(4, 3, 3, 3)})
case("conv_group", [7, 11], node("Conv", "x w b", "y", group=3, dilations=[2, 2]), {"w": floats(6, 1, 3, 3), "b": floats(6)})
case("conv_1d", [7, 11], node("Conv", "x w b", "y", pads=[2, 0], dilations=[2]), {"w": floats(4, 3, 2), "b": floats(4)}, shape=(3, 9))
case("conv_transpose", [7, 11, 22], node("ConvTranspose", "x w b", "y", strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]),
     {"w": floats(3, 4, 3, 3), "b": floats(4)})
case("conv_transpose_shape", [7, 11], node("ConvTranspose", "x w", "y", strides=[2, 2], output_shape=[16, 16]), {"w": floats(3, 4, 3, 3)})
case("conv_transpose_same", [7, 11], node("ConvTranspose", "x w", "y", strides=[2, 2], auto_pad="SAME_UPPER"), {"w": floats(3, 4, 3, 3)})
case("conv_transpose_group", [11], node("ConvTranspose", "x w", "y", strides=[2, 2], group=2), {"w": floats(4, 3, 3, 3)}, shape=(4, 5, 5))
case("conv_given_weight", [11], [node("Mul", "w0 s", "w"), node("Conv", "x w", "y")], {"w0": floats(4, 3, 3, 3), "s": floats(4, 1, 1, 1)})
case("depth_to_space", [7, 11, 13], node("DepthToSpace", "x", "y", blocksize=2), shape=(8, 3, 3))
case("depth_to_space_crd", [11, 13], node("DepthToSpace", "x", "y", blocksize=2, mode="CRD"), shape=(8, 3, 3))
case("space_to_depth", [7, 13], node("SpaceToDepth", "x", "y", blocksize=2))
for reset in [0, 1]:
    for direction in ["forward", "reverse", "bidirectional"]:
        d = 2 if direction == "bidirectional" else 1
        case(f"gru_{direction}_{reset}", [7, 14, 22], [node("Transpose", "x", "t", perm=[1, 0, 2]), node("GRU", "t w r b", "a h",
        hidden_size=4, linear_before_reset=reset, direction=direction),
             node("Transpose", "a", "y", perm=[2, 0, 1, 3])], {"w": floats(d, 12, 5), "r": floats(d, 12, 4), "b": floats(d, 24)},
             shape=(6, 5), outputs="y h")
case("gru_no_bias", [14], [node("Transpose", "x", "t", perm=[1, 0, 2]), node("GRU", "t w r", "_ h", hidden_size=4), node("Squeeze",
     "h zero", "y")], {"w": floats(1, 12, 5), "r": floats(1, 12, 4), "zero": longs(0)}, shape=(6, 5))
case("lstm", [7, 14, 22], [node("Transpose", "x", "t", perm=[1, 0, 2]), node("LSTM", "t w r b", "a h c", hidden_size=4)],
     {"w": floats(1, 16, 5), "r": floats(1, 16, 4), "b": floats(1, 32)}, shape=(6, 5), outputs="a h c")
case("lstm_start", [14], [node("Transpose", "x", "t", perm=[1, 0, 2]), node("Shape", "x", "sh"), node("Gather", "sh zero", "n"),
     node("Unsqueeze", "n ax", "n1"), node("Concat", "one n1 four", "hs", axis=0),
     node("ConstantOfShape", "hs", "h0"), node("LSTM", "t w r b _ h0 h0", "a h c", hidden_size=4)],
     {"w": floats(1, 16, 5), "r": floats(1, 16, 4), "b": floats(1, 32), "zero": whole(0), "ax": longs(0), "one": longs(1),
     "four": longs(4)}, shape=(6, 5), outputs="a h c")
case("lstm_peepholes", [14], [node("Transpose", "x", "t", perm=[1, 0, 2]), node("LSTM", "t w r b _ _ _ p", "a", hidden_size=4)],
     {"w": floats(1, 16, 5), "r": floats(1, 16, 4), "b": floats(1, 32), "p": floats(1, 12)}, shape=(6, 5), outputs="a")
case("rnn_relu", [7, 14], [node("Transpose", "x", "t", perm=[1, 0, 2]), node("RNN", "t w r b", "a h", hidden_size=4, activations=["Relu"])],
     {"w": floats(1, 4, 5), "r": floats(1, 4, 4), "b": floats(1, 8)}, shape=(6, 5), outputs="a h")
case("gather", [7, 11, 13], node("Gather", "x i", "y", axis=2), {"i": longs(0, -1, 3)})
case("gather_scalar", [7, 13], node("Gather", "x i", "y", axis=1), {"i": whole(1)})
case("gather_elements", [11, 13], node("GatherElements", "x i", "y", axis=1), inputs={"x": (np.float32, (5,)), "i": (np.int64, (2,))})
case("embedding", [7, 13], [node("Gather", "t i", "y")], {"t": floats(5, 4)}, inputs={"i": (np.int64, (6,))})
case("embedding_int32", [11], [node("Gather", "t i", "e"), node("ReduceMean", "e", "y", axes=[1])], {"t": floats(5, 4)},
     inputs={"i": (np.int32, (6,))})
case("embedding_cast", [11], [node("Cast", "i", "j", to=TensorProto.INT32), node("Gather", "t j", "y")], {"t": floats(5, 4)},
     inputs={"i": (np.float32, (6,))}, draw=lambda: generator.integers(0, 5, (ROWS, 6)).astype(np.float32))
case("one_hot", [9, 11], node("OneHot", "i d v", "y"), {"d": longs(5), "v": np.array([0, 1], np.float32)}, inputs={"i": (np.int64, ())})
case("one_hot_axis", [11], node("OneHot", "i d v", "y", axis=1), {"d": whole(5), "v": np.array([-1, 2], np.float32)},
     inputs={"i": (np.int64, (4,))})
case("scatter_elements", [11, 16], node("ScatterElements", "x i u", "y", axis=1), {"i": longs(1, 1, 1).reshape(3, 1), "u": floats(3, 1)},
     shape=(5,), rows=ROWS)
case("expand", [8, 13], node("Expand", "x s", "y"), {"s": longs(1, 3, 1, 8)}, shape=(3, 1, 1))
case("tile", [7, 13], node("Tile", "x r", "y"), {"r": longs(1, 2, 1, 3)})
case("cumsum", [11, 14], node("CumSum", "x a", "y", exclusive=1), {"a": whole(1)}, shape=(6,))
case("cumsum_reverse", [14], node("CumSum", "x a", "y", reverse=1), {"a": longs(-1)}, shape=(4, 6))
case("argmax", [7, 11, 13], [node("ArgMax", "x", "i", axis=1, keepdims=0), node("Cast", "i", "y", to=FLOAT)], shape=(6,))
case("argmin_last", [12, 13], [node("ArgMin", "x", "y", axis=-1, keepdims=1, select_last_index=1)], shape=(2, 6), kinds=[LONG])
case("where", [9, 16], [node("Greater", "x z", "c"), node("Where", "c x z", "y")], {"z": np.float32(0)})
case("comparisons", [9, 13], [node("Less", "x z", "a"), node("Greater", "x z", "b"), node("Equal", "a b", "c"), node("Or", "a c", "d"),
     node("And", "d b", "e"), node("Xor", "e a", "f"), node("Cast", "f", "y", to=FLOAT)], {"z": np.float32(0.1)})
case("less_or_equal", [12, 16], [node("LessOrEqual", "x z", "a"), node("GreaterOrEqual", "x z", "b"), node("And", "a b", "f"),
     node("Cast", "f", "y", to=FLOAT)], {"z": np.float32(0.1)})
case("einsum", [12], node("Einsum", "x w", "y", equation="bij,jk->bik"), {"w": floats(6, 4)}, shape=(5, 6))
case("einsum_heads", [12], node("Einsum", "x x", "y", equation="bhid,bhjd->bhij"), shape=(2, 4, 5))
case("einsum_ellipsis", [12], node("Einsum", "x w", "y", equation="...i,ij->...j"), {"w": floats(6, 4)}, shape=(5, 6))
case("trilu", [14], node("Trilu", "x k", "y", upper=0), {"k": whole(1)}, shape=(5, 5))
case("erf", [9, 13], node("Erf", "x", "y"))
case("isnan_isinf", [10, 20], [node("IsNaN", "x", "a"), node("IsInf", "x", "b"), node("Or", "a b", "c"), node("Cast", "c", "y", to=FLOAT)])
case("sign", [9], [node("Sign", "x", "s"), node("Abs", "s", "y")])
case("constant_of_shape", [9, 20], [node("Shape", "x", "s"), node("ConstantOfShape", "s", "c", value=helper.make_tensor("v", FLOAT, [1],
     [2.0])), node("Add", "x c", "y")])
case("range", [11], [node("Shape", "x", "s"), node("Gather", "s one", "n"), node("Range", "zero n one", "r"), node("Cast", "r", "f",
     to=FLOAT), node("Add", "x f", "y")], {"zero": whole(0), "one": whole(1)}, shape=(6,))
case("size", [7, 13], [node("Size", "x", "s"), node("Cast", "s", "f", to=FLOAT), node("Div", "x f", "y")], shape=(6,))
case("shape_start_end", [15, 19], [node("Shape", "x", "s", start=0, end=1), node("Concat", "s m", "z", axis=0), node("Reshape", "x z",
     "y")], {"m": longs(-1)})
case("shape_arithmetic", [11, 13], [node("Shape", "x", "s"), node("Gather", "s zero", "n"), node("Gather", "s one", "c"), node("Mul",
     "n c", "nc"), node("Reshape", "nc list", "u"), node("Concat", "u m", "z", axis=0),
     node("Reshape", "x z", "r"), node("Softmax", "r", "t", axis=-1), node("Reshape", "t back", "y")], {"zero": whole(0),
     "one": whole(1), "list": longs(-1), "m": longs(-1), "back": longs(-1, 3, 8, 8)})
case("shape_div", [11], [node("Shape", "x", "s"), node("Gather", "s two", "h"), node("Div", "h two", "hh"), node("Reshape", "hh l", "u"),
     node("Concat", "m u t", "z", axis=0), node("Reshape", "x z", "y")],
     {"two": whole(2), "l": longs(1), "m": longs(-1), "t": longs(2)})
case("squeeze_shape", [11], [node("Shape", "x", "s"), node("Slice", "s zero one", "n"), node("Squeeze", "n", "q", axes=[0]),
     node("Unsqueeze", "q", "u", axes=[0]), node("Concat", "u m", "z", axis=0), node("Reshape", "x z", "y")],
     {"zero": longs(0), "one": longs(1), "m": longs(-1)})
# As PyTorch 1 wrote `interpolate`; the factor is no weight.
case("cast_shape_float", [11], [node("Constant", "", "k", value=numpy_helper.from_array(np.array([2, 2], np.float32))),
     node("Shape", "x", "s"), node("Cast", "s", "f", to=FLOAT), node("Slice", "f two four", "hw"), node("Mul", "hw k", "big"),
     node("Floor", "big", "fl"), node("Cast", "fl", "i", to=LONG), node("Slice", "s zero two", "bc"), node("Concat", "bc i", "z", axis=0),
     node("Resize", "x roi none z", "y", mode="linear", coordinate_transformation_mode="align_corners")],
     {"two": longs(2), "four": longs(4), "zero": longs(0), "roi": floats(0), "none": floats(0)})
case("expand_by_shape", [13], [node("Shape", "x", "s"), node("Expand", "w s", "e"), node("Add", "x e", "y")], {"w": floats(3, 1, 1)})
case("expand_batch", [13], [node("Shape", "x", "s"), node("Gather", "s zero", "n"), node("Unsqueeze", "n ax", "n1"), node("Concat",
     "n1 one w6", "z", axis=0), node("Expand", "token z", "t"), node("Concat", "t x", "y", axis=1)],
     {"zero": whole(0), "ax": longs(0), "one": longs(1), "w6": longs(6), "token": floats(1, 1, 6)}, shape=(4, 6))
case("dynamic_quantize", [11], [node("DynamicQuantizeLinear", "x", "q s z"), node("DequantizeLinear", "q s z", "y")], shape=(6,))
case("qdq", [10, 13, 19], [node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z", "y")], {"s": np.float32(0.05),
     "z": np.uint8(128)})
case("qdq_channel", [13], [node("DequantizeLinear", "w s z", "wf", axis=0), node("Conv", "x wf", "y")], {"w": generator.integers(-90, 90,
     (4, 3, 3, 3)).astype(np.int8), "s": np.array([0.01, 0.02, 0.03, 0.01], np.float32), "z": np.zeros(4, np.int8)})
case("matmul_integer", [11], [node("DynamicQuantizeLinear", "x", "q s z"), node("MatMulInteger", "q w z", "p"), node("Cast", "p", "f",
     to=FLOAT), node("Mul", "f s", "y")], {"w": generator.integers(-90, 90, (6, 4)).astype(np.int8)}, shape=(6,))
case("weights_as_inputs", [7, 9], [node("Gemm", "x w b", "h", transB=1), node("Relu", "h", "y")], {"w": floats(4, 6), "b": floats(4)},
     shape=(6,), weights_as_inputs=True)
case("f16_weights", [11, 17], [node("Cast", "w", "wf", to=FLOAT), node("MatMul", "x wf", "y")], {"w": floats(6, 4).astype(np.float16)},
     shape=(6,))
case("bf16_weights", [13, 17], [node("Cast", "w", "wf", to=FLOAT), node("MatMul", "x wf", "y")],
     {"w": helper.make_tensor("w", TensorProto.BFLOAT16, [6, 4], floats(24))}, shape=(6,))
case("f64_model", [13], [node("Cast", "x", "d", to=TensorProto.DOUBLE), node("MatMul", "d w", "p"), node("Add", "p b", "s"), node("Cast",
     "s", "y", to=FLOAT)], {"w": floats(6, 4).astype(np.float64), "b": floats(4).astype(np.float64)}, shape=(6,))
case("typed_data", [13], [node("MatMul", "x w", "p"), node("Add", "p b", "y")], {"w": helper.make_tensor("w", FLOAT, [6, 4], floats(24)),
     "b": helper.make_tensor("b", FLOAT, [4], floats(4))}, shape=(6,))
case("f16_typed_data", [13], [node("Cast", "w", "wf", to=FLOAT), node("MatMul", "x wf", "y")], {"w": helper.make_tensor("w",
     TensorProto.FLOAT16, [6, 4], floats(24).astype(np.float16))}, shape=(6,))
case("constant_forms", [13], [node("Constant", "", "a", value_float=2.0), node("Constant", "", "b", value_floats=[1.0, 2.0, 3.0]),
     node("Constant", "", "c", value_ints=[-1, 3]), node("Constant", "", "d", value_int=1), node("Mul", "x a", "m"),
     node("Add", "m b", "n"), node("Reshape", "n c", "r"), node("Gather", "r d", "y", axis=1)], shape=(3,))


def inner(nodes, name, outputs, inputs=(), weights=()):
    return helper.make_graph(nodes, name, list(inputs), [helper.make_tensor_value_info(o, FLOAT, None) for o in outputs], list(weights))


relu_graph = inner([node("Relu", "x", "then_y")], "then", ["then_y"])
tanh_graph = inner([node("Tanh", "x", "else_y")], "else", ["else_y"])
case("if_known", [11, 13, 16], [node("If", "c", "y", then_branch=relu_graph, else_branch=tanh_graph)], {"c": np.array(False)}, shape=(6,))
nested = inner([node("If", "c", "in_y", then_branch=inner([node("Relu", "x", "t1")], "t1g", ["t1"]), else_branch=inner([node("Tanh", "x",
     "t2")], "t2g", ["t2"]))], "nested", ["in_y"])
case("if_nested", [13], [node("If", "c", "y", then_branch=nested, else_branch=tanh_graph)], {"c": np.array(True)}, shape=(6,))
case("if_by_shape", [13], [node("Shape", "x", "s"), node("Gather", "s one", "n"), node("Equal", "n six", "c"), node("If", "c", "y",
     then_branch=relu_graph, else_branch=tanh_graph)], {"one": whole(1), "six": whole(6)}, shape=(6,))
number, condition, carried = (helper.make_tensor_value_info(*one) for one in [("i", LONG, []), ("k", TensorProto.BOOL, []), ("v", FLOAT, None)])
condition_2, carried_2 = (helper.make_tensor_value_info(*one) for one in [("k2", TensorProto.BOOL, []), ("v2", FLOAT, None)])
body = helper.make_graph([node("Mul", "v half", "v2"), node("Identity", "k", "k2")], "body", [number, condition, carried],
                         [condition_2, carried_2])
case("loop_known", [11, 13, 16], [node("Loop", "m t x", "y", body=body)], {"m": whole(3), "t": np.array(True), "half": np.float32(0.5)},
     shape=(6,))

# A function of the file's own, which calls another and takes an attribute of its call.
versions = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
doubled = helper.make_function("local", "Doubled", ["a"], ["b"], [node("Add", "a a", "b")], versions)
leaky = node("LeakyRelu", "t", "b")
leaky.attribute.append(onnx.AttributeProto(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT))
scaled = helper.make_function("local", "Scaled", ["a"], ["b"], [node("Doubled", "a", "t", domain="local"), leaky], versions, ["slope"])
case("functions", [17], [node("Scaled", "x", "h", domain="local", slope=0.3), node("Doubled", "h", "y", domain="local")], shape=(6,),
     functions=[doubled, scaled], ir=8)

odd_name = "/layer.0/ Größe/weight:0"
case("names_with_slashes", [13], [helper.make_node("MatMul", ["x", odd_name], ["/p;1"], name="a/b c"), helper.make_node("Relu", ["/p;1"],
     ["y"])], {odd_name: floats(6, 4)}, shape=(6,))
long_name = "n" * 600
case("long_names", [13], [helper.make_node("MatMul", ["x", long_name + "w"], [long_name + "p"]), helper.make_node("Relu",
     [long_name + "p"], ["y"])], {long_name + "w": floats(6, 4)}, shape=(6,))
case("names_alike", [13], [node("MatMul", "x a.b", "a_b"), node("Add", "a_b a/b", "a:b"), node("Relu", "a:b", "y")], {"a.b": floats(6,
     4), "a/b": floats(4)}, shape=(6,))
case("words_of_the_language", [13], [node("MatMul", "x w", "true"), node("Add", "true op", "in"), node("Relu", "in", "graphrun"),
     node("Identity", "graphrun", "y")], {"w": floats(6, 4), "op": floats(4)}, shape=(6,))
case("unused_outputs", [13], [node("Split", "x", "a b c", axis=1), node("Relu", "b", "y"), node("Tanh", "c", "never")], shape=(6,))
case("unused_weights", [13], [node("Relu", "x", "y")], {"nothing": floats(4)}, shape=(6,))
case("output_is_input", [13], [node("Relu", "x", "r")], shape=(6,), outputs="r x")
case("output_twice_same_node", [13], [node("Relu", "x", "r"), node("Identity", "r", "q")], shape=(6,), outputs="r q")
case("output_is_weight", [13], [node("Relu", "x", "r")], {"w": floats(4)}, shape=(6,), outputs="r w")
case("inputs_in_two_types", [13], [node("Gather", "t i", "e"), node("Concat", "x e", "y", axis=1)], {"t": floats(5, 4)},
     inputs={"x": (np.float32, (3,)), "i": (np.int64, ())})
case("layers_shared", [13], [node("MatMul", "x w", "a"), node("Tanh", "a", "b"), node("MatMul", "b w", "y")], {"w": floats(6, 6)},
     shape=(6,))
case("tied_weights", [13], [node("MatMul", "x w", "a"), node("Transpose", "w", "wt", perm=[1, 0]), node("MatMul", "a wt", "y")],
     {"w": floats(6, 4)}, shape=(6,))
case("grid_sample", [16, 20], node("GridSample", "x g", "y"), inputs={"x": (np.float32, (2, 5, 5)), "g": (np.float32, (3, 4, 2))})
case("bias_image", [11], [node("Conv", "x w", "c"), node("Add", "c b", "y")], {"w": floats(4, 3, 3, 3), "b": floats(1, 4, 1, 1)})
case("keras_bias", [11], [node("MatMul", "x w", "c"), node("Add", "c b", "y")], {"w": floats(6, 4), "b": floats(4)}, shape=(6,))


def write_case(folder, case, opset):
    model, feeds = case.model(opset), case.feeds()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    place = folder / f"{case.name}.{opset}" / "test_data_set_0"
    place.mkdir(parents=True)
    (place.parent / "model.onnx").write_bytes(model.SerializeToString())
    for kind, values in [("input", feeds.values()), ("output", session.run(None, feeds))]:
        for i, value in enumerate(values):
            (place / f"{kind}_{i}.pb").write_bytes(numpy_helper.from_array(np.asarray(value)).SerializeToString())


def main():
    build, chosen = pathlib.Path(sys.argv[1]), sys.argv[2:]
    folder, report = build / "onnx-forms", build / "onnx-forms.tsv"
    subprocess.run(["rm", "-rf", folder], check=True)
    for case in CASES:
        if not chosen or case.name in chosen:
            for opset in case.opsets:
                write_case(folder, case, opset)
    environment = dict(os.environ, GRAPHRUN_ONNX_NODES=str(folder), GRAPHRUN_ONNX_REPORT=str(report), GRAPHRUN_ONNX_TOLERANCE=TOLERANCE)
    subprocess.run([build / "tests/test_onnx", "[.onnx-nodes]"], env=environment, check=True, stdout=subprocess.DEVNULL)
    rows = [line.split("\t") for line in report.read_text().splitlines()]
    wrong = [row for row in rows if row[1] != "equal"]
    for row in wrong:
        print("\t".join(row))
    print(f"{len(rows) - len(wrong)} of {len(rows)} forms compute what ONNX Runtime does")
    return 1 if wrong or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
