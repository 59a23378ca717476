"""Trains a small digit classifier and writes digits.onnx, images.npy and labels.npy beside this file.

Needs numpy, scikit-learn (for its digits data only) and onnx; with onnxruntime the written model is checked as well.
The seed is fixed, so that a second run gives the same files on the same machine.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

FOLDER = Path(__file__).parent
TEST_IMAGES = 360
CHANNELS = 16
CLASSES = 10
EPOCHS = 60
BATCH = 32
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-3


def load():
    """Images in 0...1 as [count, 1, 8, 8], shuffled once, the last ones kept for testing."""
    digits = load_digits()
    order = np.random.default_rng(1).permutation(len(digits.target))
    images = (digits.images[order] / 16).astype(np.float32)[:, None]
    labels = digits.target[order].astype(np.int64)
    return images[:-TEST_IMAGES], labels[:-TEST_IMAGES], images[-TEST_IMAGES:], labels[-TEST_IMAGES:]


def patches(images):
    """The 3x3 surroundings of each pixel: [count, 8, 8, 9]."""
    padded = np.pad(images[:, 0], ((0, 0), (1, 1), (1, 1)))
    return np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2)).reshape(-1, 8, 8, 9)


class Network:
    """Conv 3x3, Relu, MaxPool 2, Gemm, Softmax; channels last inside."""

    def __init__(self, random):
        self.parameters = {
            "filters": random.normal(0, np.sqrt(2 / 9), (9, CHANNELS)).astype(np.float32),
            "filter_bias": np.zeros(CHANNELS, np.float32),
            "weights": random.normal(0, np.sqrt(1 / 256), (4, 4, CHANNELS, CLASSES)).astype(np.float32),
            "bias": np.zeros(CLASSES, np.float32),
        }

    def forward(self, images):
        p = self.parameters
        self.x = patches(images)
        self.convolved = self.x @ p["filters"] + p["filter_bias"]
        blocks = np.maximum(self.convolved, 0).reshape(-1, 4, 2, 4, 2, CHANNELS)
        self.blocks = blocks.transpose(0, 1, 3, 5, 2, 4).reshape(-1, 4, 4, CHANNELS, 4)
        self.pooled = self.blocks.max(-1)
        logits = np.tensordot(self.pooled, p["weights"], 3) + p["bias"]
        exponentials = np.exp(logits - logits.max(1, keepdims=True))
        return exponentials / exponentials.sum(1, keepdims=True)

    def gradients(self, images, labels):
        p = self.parameters
        error = self.forward(images)
        error[np.arange(len(labels)), labels] -= 1
        error /= len(labels)
        result = {"bias": error.sum(0), "weights": np.tensordot(self.pooled, error, ((0,), (0,)))}
        pooled = np.tensordot(error, p["weights"], ((1,), (3,)))
        winners = self.blocks.argmax(-1)
        blocks = np.zeros_like(self.blocks)
        np.put_along_axis(blocks, winners[..., None], pooled[..., None], -1)
        convolved = blocks.reshape(-1, 4, 4, CHANNELS, 2, 2).transpose(0, 1, 4, 2, 5, 3).reshape(self.convolved.shape)
        convolved = convolved * (self.convolved > 0)
        result["filter_bias"] = convolved.sum((0, 1, 2))
        result["filters"] = np.tensordot(self.x, convolved, ((0, 1, 2), (0, 1, 2)))
        return result


def train(images, labels):
    random = np.random.default_rng(2)
    network = Network(random)
    first = {name: np.zeros_like(value) for name, value in network.parameters.items()}
    second = {name: np.zeros_like(value) for name, value in network.parameters.items()}
    step = 0
    for epoch in range(EPOCHS):
        rate = LEARNING_RATE * (1 - epoch / EPOCHS)
        order = random.permutation(len(labels))
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            step += 1
            for name, gradient in network.gradients(images[chosen], labels[chosen]).items():
                # Adam with weight decay.
                first[name] = 0.9 * first[name] + 0.1 * gradient
                second[name] = 0.999 * second[name] + 0.001 * gradient**2
                change = first[name] / (1 - 0.9**step) / (np.sqrt(second[name] / (1 - 0.999**step)) + 1e-8)
                value = network.parameters[name]
                network.parameters[name] = (value - rate * (change + WEIGHT_DECAY * value)).astype(np.float32)
    return network


def model(network):
    """The network as ONNX has it: channels first."""
    p = network.parameters
    weights = {
        "conv.weight": p["filters"].T.reshape(CHANNELS, 1, 3, 3),
        "conv.bias": p["filter_bias"],
        "classifier.weight": p["weights"].transpose(3, 2, 0, 1).reshape(CLASSES, CHANNELS * 16),
        "classifier.bias": p["bias"],
    }
    node = helper.make_node
    nodes = [
        node("Conv", ["image", "conv.weight", "conv.bias"], ["convolved"], "/conv/Conv", pads=[1, 1, 1, 1]),
        node("Relu", ["convolved"], ["rectified"], "/relu/Relu"),
        node("MaxPool", ["rectified"], ["pooled"], "/pool/MaxPool", kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", ["pooled"], ["features"], "/flatten/Flatten"),
        node("Gemm", ["features", "classifier.weight", "classifier.bias"], ["logits"], "/classifier/Gemm", transB=1),
        node("Softmax", ["logits"], ["scores"], "/softmax/Softmax", axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, 8, 8])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", CLASSES])],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in weights.items()],
    )
    result = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8, producer_name="digits/train.py"
    )
    onnx.checker.check_model(result, full_check=True)
    return result


def main():
    train_images, train_labels, images, labels = load()
    network = train(train_images, train_labels)
    scores = network.forward(images)
    accuracy = (scores.argmax(1) == labels).mean()
    print(f"accuracy on {len(labels)} test images: {accuracy:.4f}")
    onnx.save(model(network), FOLDER / "digits.onnx")
    np.save(FOLDER / "images.npy", images)
    np.save(FOLDER / "labels.npy", labels)

    try:
        import onnxruntime
    except ImportError:
        return
    session = onnxruntime.InferenceSession(FOLDER / "digits.onnx", providers=["CPUExecutionProvider"])
    (theirs,) = session.run(None, {"image": images})
    print(f"accuracy of digits.onnx in onnxruntime: {(theirs.argmax(1) == labels).mean():.4f}")
    print(f"largest difference of a score: {np.abs(theirs - scores).max():.1e}")


if __name__ == "__main__":
    main()
