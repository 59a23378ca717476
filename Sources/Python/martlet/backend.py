"""Martlet as a backend of ONNX: what `onnx.backend.test` and programs written for `onnx.backend.base` use.

    import martlet.backend

    outputs = martlet.backend.prepare(model).run([image])
"""
import numpy as np
import onnx
from onnx.backend.base import Backend, BackendRep, Device, DeviceType, namedtupledict

from .compiler import compile as compile_model

_OPTIONS = ("shape", "threads", "cache_dir", "precision", "numerics", "profile", "name")


class MartletModel(BackendRep):
    """A model that is ready to run."""

    def __init__(self, model):
        self.model = model
        self._result = namedtupledict("Outputs", [port.name for port in model.outputs])

    def run(self, inputs, **kwargs):
        """Outputs in order, also by name. `inputs` are a list in order or a dict by name."""
        results = self.model.run(inputs, threads=kwargs.get("threads"))
        return self._result(*results.values())


class MartletBackend(Backend):
    @classmethod
    def prepare(cls, model, device="CPU", **kwargs):
        if not cls.supports_device(device):
            raise ValueError(f"Martlet does not run on {device}")
        super().prepare(model, device, **kwargs)
        options = {name: kwargs[name] for name in _OPTIONS if name in kwargs}
        return MartletModel(compile_model(model, **{"cache_dir": None, **options}))

    @classmethod
    def run_model(cls, model, inputs, device="CPU", **kwargs):
        return cls.prepare(model, device, **kwargs).run(inputs)

    @classmethod
    def run_node(cls, node, inputs, device="CPU", outputs_info=None, **kwargs):
        super().run_node(node, inputs, device, outputs_info, **kwargs)
        names = [name for name in node.input if name]
        taken = [_value_info(name, value) for name, value in zip(names, inputs)]
        given = [onnx.helper.make_empty_tensor_value_info(name) for name in node.output if name]
        version = kwargs.get("opset_version") or _newest(node.domain)
        graph = onnx.helper.make_graph([node], "node", taken, given)
        model = onnx.helper.make_model_gen_version(graph, opset_imports=[onnx.helper.make_opsetid(node.domain, version)])
        return MartletModel(compile_model(model, cache_dir=None)).run(list(inputs))

    @classmethod
    def supports_device(cls, device):
        return Device(device).type == DeviceType.CPU if device.split(":")[0] in ("CPU", "CUDA") else False


def _value_info(name, value):
    return onnx.helper.make_value_info(name, _type(value))


def _type(value):
    if isinstance(value, (list, tuple)) and any(isinstance(item, (np.ndarray, list)) for item in value):
        return onnx.helper.make_sequence_type_proto(_type(value[0]))
    array = np.asarray(value)
    kind = array.dtype if array.dtype.kind not in "US" else np.dtype(object)
    return onnx.helper.make_tensor_type_proto(onnx.helper.np_dtype_to_tensor_dtype(kind), array.shape)


def _newest(domain):
    """The operator set of a domain that this onnx knows."""
    return max((schema.since_version for schema in onnx.defs.get_all_schemas() if schema.domain == domain), default=1)


prepare = MartletBackend.prepare
run_model = MartletBackend.run_model
run_node = MartletBackend.run_node
supports_device = MartletBackend.supports_device
is_compatible = MartletBackend.is_compatible
