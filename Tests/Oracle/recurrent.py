"""Recurrent layers: ONNX Runtime, over directions, activations, lengths, states, peepholes and clipping."""
import numpy as np

from oracle import FLOATS, Random, cases, flags, rounded, runtime

# As ONNX spells them, with how many numbers they take.
FUNCTIONS = {
    "relu": ("Relu", 0), "tanh": ("Tanh", 0), "sigmoid": ("Sigmoid", 0), "affine": ("Affine", 2),
    "softsign": ("Softsign", 0), "softplus": ("Softplus", 0), "elu": ("Elu", 1), "leaky_relu": ("LeakyRelu", 1),
    "thresholded_relu": ("ThresholdedRelu", 1), "scaled_tanh": ("ScaledTanh", 2), "hard_sigmoid": ("HardSigmoid", 2),
}
KINDS = {"lstm": ("LSTM", 4, 3), "gru": ("GRU", 3, 2), "rnn": ("RNN", 1, 1)}


def activations(random, count, number):
    """None, or names for .mir and attributes for ONNX."""
    if number % 3 == 0:
        return None, {}
    names, alphas, betas, texts = [], [], [], []
    order = list(FUNCTIONS)
    for place in range(count):
        name = order[(number + 5 * place) % len(order)]
        spelled, numbers = FUNCTIONS[name]
        values = [0.5, 0.25, 0.75, 0.125][random.number(0, 3):][:1] + [0.5]
        names.append(spelled)
        texts.append(" ".join([name] + [str(value) for value in values[:numbers]]))
        alphas += values[:1] if numbers else []
        betas += values[1:2] if numbers == 2 else []
    attributes = {"activations": names}
    if alphas:
        attributes["activation_alpha"] = alphas
    if betas:
        attributes["activation_beta"] = betas
    return texts, attributes


def make():
    random = Random(105)
    for op, (name, gates, functions) in KINDS.items():
        for number in range(27):
            direction = ["forward", "reverse", "bidirectional"][number % 3 if number % 2 else random.number(0, 2)]
            ways = 2 if direction == "bidirectional" else 1
            steps, batch, inputs, hidden = random.pick([1, 3, 4]), random.pick([1, 2, 3]), random.pick([1, 3]), random.pick([1, 2, 4])
            texts, attributes = activations(random, functions * ways, number)
            x = random.normal(steps, batch, inputs)
            w, r = random.normal(ways, gates * hidden, inputs, scale=0.6), random.normal(ways, gates * hidden, hidden, scale=0.6)
            bias = random.normal(ways, 2 * gates * hidden, scale=0.5) if number % 4 else None
            lengths = random.integers(1, steps, batch, dtype="i32") if number % 5 == 2 else None
            start = random.normal(ways, batch, hidden) if number % 2 else None
            given, operands = [x, w, r, bias, lengths, start], None
            clip = [0.0, 0.5, 1.25][random.number(0, 2)]
            settings = dict(hidden_size=hidden, direction=direction) | attributes | ({"clip": clip} if clip else {})
            text = dict(direction=direction, activations=texts, clip=clip or None)
            if op == "lstm":
                cell = random.normal(ways, batch, hidden) if number % 3 == 1 else None
                peepholes = random.normal(ways, 3 * hidden) if number % 4 == 2 else None
                given += [cell, peepholes]
                forget = number % 7 == 3
                settings["input_forget"], text["input_forget"] = int(forget), forget
            if op == "gru":
                after = bool(number % 4 in (1, 2))
                settings["linear_before_reset"], text["linear_before_reset"] = int(after), after
            # The runtime computes in f32 what all types are given in.
            kind = (["f32"] + FLOATS)[number % 5]
            operands = [value if value is None or value is lengths else rounded(value, kind) for value in given]
            given = [value if value is None or value is lengths else value.astype(np.float32) for value in operands]
            while given[-1] is None:
                given.pop()
            results = runtime(name, given, outputs=3 if op == "lstm" else 2, **settings)
            cases.op(op, flags(**text), operands, [rounded(result, kind) for result in results], "single", "onnxruntime")
