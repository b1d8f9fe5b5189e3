"""The flavour of ONNX models, by onnxruntime."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from seaway.errors import InvalidSpec, PackageRefused
from seaway.models.flavours.onnx_safety import DATA_FILE, MAX_BYTES, graphs, inspect, outside, read, tensors
from seaway.models.flavours.port import Adopted, Options
from seaway.models.flavours.required import required
from seaway.models.signature import TEXT, Array, Signature, TensorSpec

FILE = "model.onnx"
DATATYPES = {"FLOAT": "FP32", "FLOAT16": "FP16", "DOUBLE": "FP64", "STRING": "BYTES", "BOOL": "BOOL"} | {
    f"{sign}INT{bits}": f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)
}  # ONNX's names -> Open Inference Protocol's
ROWS = "rows"


class Onnx:
    """See `seaway.models.flavours.Flavour`."""

    name = "onnx"
    title = "ONNX"
    files = (FILE,)
    optional = (DATA_FILE,)
    sources = (".onnx",)
    extra = "onnx"
    platform = "onnxruntime_onnx"
    safety = (
        "a protobuf of operators that onnxruntime brings itself; its numbers lie in it or in the one file beside it"
    )

    def check(self, folder: Path) -> None:
        """Raises: PackageRefused, see `onnx_safety`."""
        inspect(read(folder / FILE), folder / FILE, [DATA_FILE])

    def load(
        self, folder: Path, signature: Signature, threads: int | None
    ) -> Callable[[Sequence[Array]], Sequence[Array]]:
        """Raises: PackageRefused: onnxruntime cannot run it, or it is not of this signature."""
        session = _session(folder / FILE, threads)
        inputs, outputs = [spec.name for spec in signature.inputs], [spec.name for spec in signature.outputs]
        has, gives = ({one.name for one in ends} for ends in (session.get_inputs(), session.get_outputs()))
        if set(inputs) != has or not set(outputs) <= gives:
            raise PackageRefused(
                f"{FILE} in {folder} takes {sorted(has)} and gives {sorted(gives)}, its signature names "
                f"{sorted(inputs)} and {sorted(outputs)}; write the signature of this graph."
            )

        def answer(arrays: Sequence[Array]) -> Sequence[Array]:
            given: Sequence[Array] = session.run(outputs, dict(zip(inputs, arrays, strict=True)))
            return given

        return answer

    def prove(self, folder: Path) -> None:
        """Nothing more."""

    def adopt(self, source: Path, folder: Path, options: Options) -> Adopted:
        """Copy a model, its constants filled in, rows as the first size of every input and output, maps left out.

        Raises:
            PackageRefused: it cannot be read, or not safely.
            InvalidSpec: an input is no rows of data and no constant is given for it.
        """
        model = read(source)
        inspect(model, source, _beside(source, model))
        _take_data_in(model, source.parent)
        _fill_in(model.graph, options.constants)
        classes = _without_maps(model.graph)
        rows = _name_of_rows(model.graph)
        inputs = tuple(_with_rows_first(model.graph, given, rows) for given in list(model.graph.input))
        for given in list(model.graph.output):
            _give_rows_first(model.graph, given, rows)
        _write(model, folder)
        outputs = tuple(given.name for given in model.graph.output)
        return Adopted(self.name, inputs, outputs, TEXT, classes)


def _session(file: Path, threads: int | None) -> Any:
    with required("onnx"):
        import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is raised
    options.inter_op_num_threads = 1
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no class in common
        raise PackageRefused(
            f"{file.name} in {file.parent} is no model that onnxruntime {onnxruntime.__version__} can run "
            f"({' '.join(str(error).split())[:300]}); export it anew."
        ) from error


def _beside(source: Path, model: Any) -> set[str]:
    """Names of further files that are plain names: what else is said leads out of the folder, and is refused."""
    names = {outside(tensor).get("location", "") for tensor in tensors(model)}
    return {name for name in names if name == Path(name).name and name not in ("", ".", "..")}


def _take_data_in(model: Any, folder: Path) -> None:
    from onnx.external_data_helper import load_external_data_for_model

    load_external_data_for_model(model, str(folder))


def _write(model: Any, folder: Path) -> None:
    import onnx

    big = model.ByteSize() > MAX_BYTES // 2
    onnx.save_model(model, folder / FILE, save_as_external_data=big, location=DATA_FILE)


def _fill_in(graph: Any, constants: Mapping[str, Any]) -> None:
    """Make inputs with a value part of the model; an initial value that is also an input is one already."""
    import numpy as np
    from onnx import numpy_helper
    from onnx.helper import tensor_dtype_to_np_dtype

    held = {tensor.name for tensor in graph.initializer}
    if unknown := sorted(constants.keys() - {given.name for given in graph.input}):
        raise InvalidSpec(f"The model has no input {unknown[0]!r} that a constant could be given for.")
    for given in list(graph.input):
        if given.name in constants:
            dtype = tensor_dtype_to_np_dtype(given.type.tensor_type.elem_type)
            graph.initializer.append(numpy_helper.from_array(np.asarray(constants[given.name], dtype), given.name))
        if given.name in constants or given.name in held:
            graph.input.remove(given)


def _without_maps(graph: Any) -> tuple[str, ...]:
    """Give what a ZipMap node makes maps of, and the classes that it names; scikit-learn's converters end in one."""
    classes: tuple[str, ...] = ()
    for node in [node for node in graph.node if node.op_type == "ZipMap"]:
        place = [given.name for given in graph.output].index(node.output[0])
        for attribute in node.attribute:
            classes = tuple(str(one) for one in attribute.ints) or tuple(one.decode() for one in attribute.strings)
        kept = graph.output[place]
        kept.Clear()
        kept.name = node.input[0]
        kept.type.tensor_type.elem_type = 1
        kept.type.tensor_type.shape.dim.add().dim_param = ROWS
        kept.type.tensor_type.shape.dim.add().dim_value = len(classes)
        graph.node.remove(node)
    return classes


def _name_of_rows(graph: Any) -> str:
    """What the model calls the number of rows, if it does."""
    names = [given.type.tensor_type.shape.dim[0].dim_param for given in graph.input if _sizes(given)]
    return next((name for name in names if name), ROWS)


def _sizes(given: Any) -> list[int | str]:
    """Sizes of an input or output: numbers, or names of those that are free."""
    return [
        size.dim_param or (size.dim_value if size.dim_value > 0 else "?") for size in given.type.tensor_type.shape.dim
    ]


def _with_rows_first(graph: Any, given: Any, rows: str) -> TensorSpec:
    """The input's spec; rows that are another size than the first are moved there by a node of their own."""
    import onnx

    sizes = _sizes(given)
    if not sizes or not given.type.HasField("tensor_type"):
        raise InvalidSpec(
            f"Input {given.name!r} of the model has no rows: it is no tensor, or a single value. Say by "
            f"--constant {given.name}=VALUE what it always is."
        )
    axis = _axis(sizes, rows)
    if axis:
        inner = f"{given.name}.as_the_model_takes_it"
        _rename(graph, given.name, inner)
        order = [*range(1, axis + 1), 0, *range(axis + 1, len(sizes))]
        graph.node.insert(0, onnx.helper.make_node("Transpose", [given.name], [inner], perm=order))
    _set_sizes(given, axis, rows)
    moved = [size for place, size in enumerate(sizes) if place != axis]
    datatype = _datatype(given)
    return TensorSpec(given.name, datatype, (-1, *(size if isinstance(size, int) else -1 for size in moved)))


def _give_rows_first(graph: Any, given: Any, rows: str) -> None:
    import onnx

    _datatype(given)
    sizes = _sizes(given)
    if axis := _axis(sizes, rows) if sizes else 0:
        inner = f"{given.name}.as_the_model_gives_it"
        _rename(graph, given.name, inner)
        order = [axis, *(place for place in range(len(sizes)) if place != axis)]
        graph.node.append(onnx.helper.make_node("Transpose", [inner], [given.name], perm=order))
    if sizes:
        _set_sizes(given, axis, rows)


def _axis(sizes: Sequence[int | str], rows: str) -> int:
    """Which size is that of the rows: the one that has their name, else the first."""
    return sizes.index(rows) if rows in sizes else 0


def _set_sizes(given: Any, axis: int, rows: str) -> None:
    """Rows first, and of any number: a model that was exported for one row often takes more, which the proof shows."""
    sizes = list(given.type.tensor_type.shape.dim)
    sizes.insert(0, sizes.pop(axis))
    kept = [(size.dim_value, size.dim_param) for size in sizes]
    del given.type.tensor_type.shape.dim[:]
    for place, (value, name) in enumerate(kept):
        size = given.type.tensor_type.shape.dim.add()
        if place == 0:
            size.dim_param = rows
        elif value > 0:
            size.dim_value = value
        elif name:
            size.dim_param = name


def _rename(graph: Any, old: str, new: str) -> None:
    """In the graph and in those inside it, which see its names."""
    for node in graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
        node.output[:] = [new if name == old else name for name in node.output]
        for inner in graphs(node):
            _rename(inner, old, new)


def _datatype(given: Any) -> str:
    import onnx

    kind = onnx.TensorProto.DataType.Name(given.type.tensor_type.elem_type)
    if given.type.WhichOneof("value") != "tensor_type" or kind not in DATATYPES:
        raise InvalidSpec(
            f"{given.name!r} of the model is {kind} or no tensor, which the Open Inference Protocol has no datatype "
            "for; export it as a tensor of numbers or strings."
        )
    return DATATYPES[kind]
