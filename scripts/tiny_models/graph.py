"""A few lines over onnx.helper that let a graph be written top to bottom."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
BATCH, SEQUENCE = "batch_size", "sequence_length"


class Graph:
    """A graph under way: operations take and give names of tensors."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, shape: list, kind: int = INT64) -> str:
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def tokens(self, *names: str) -> list[str]:
        """Inputs of shape [batch, sequence]."""
        return [self.input(name, [BATCH, SEQUENCE]) for name in names]

    def constant(self, value, dtype=np.float32) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def ints(self, *values: int) -> str:
        return self.constant(values, np.int64)

    def op(self, kind: str, *inputs: str, **attributes) -> str:
        name = f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], name=f"n{len(self._nodes)}_{kind}", **attributes))
        return name

    def output(self, name: str, tensor: str, shape: list) -> None:
        self._nodes.append(helper.make_node("Identity", [tensor], [name], name=f"out_{name}"))
        self._outputs.append(helper.make_tensor_value_info(name, FLOAT, shape))

    def float(self, tensor: str) -> str:
        return self.op("Cast", tensor, to=FLOAT)

    def unsqueeze(self, tensor: str, axis: int) -> str:
        return self.op("Unsqueeze", tensor, self.ints(axis))

    def sum(self, tensor: str, axis: int, keep: bool = False) -> str:
        return self.op("ReduceSum", tensor, self.ints(axis), keepdims=int(keep))

    def lookup(self, table, ids: str, dtype=np.float32) -> str:
        """The rows of a table over the vocabulary."""
        return self.op("Gather", self.constant(table, dtype), ids)

    def one_hot(self, ids: str, size: int, value: float = 1.0) -> str:
        return self.op("OneHot", ids, self.ints(size), self.constant([0.0, value]), axis=-1)

    def masked(self, scores: str, allowed: str) -> str:
        """Scores with -10,000 where `allowed` (float, 0 or 1) is 0: nothing of them is left behind a softmax."""
        blocked = self.op("Sub", self.constant(1.0), allowed)
        return self.op("Sub", scores, self.op("Mul", blocked, self.constant(10_000.0)))

    def model(self) -> onnx.ModelProto:
        graph = helper.make_graph(self._nodes, "tiny", self._inputs, self._outputs, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="millrace")
        model.ir_version = 8
        return model
