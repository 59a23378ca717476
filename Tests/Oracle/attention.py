"""Attention in all its forms: ONNX's own definitions where an operator has the attribute, NumPy in f64 elsewhere."""
import numpy as np

from oracle import FLOATS, Random, cases, evaluator, flags, rounded, runtime, wide


def attend(q, k, v, mask, sinks, scale, before, after, offset, cap):
    """Query by query, as the text of the op says it; `[batch, heads, positions, width]`."""
    group = q.shape[1] // k.shape[1]
    result = np.zeros(q.shape[:3] + v.shape[3:])
    for b in range(q.shape[0]):
        for h in range(q.shape[1]):
            for i in range(q.shape[2]):
                seen, scores = [], []
                for j in range(k.shape[2]):
                    distance = i + offset - j
                    if before >= 0 and distance > before or after >= 0 and -distance > after:
                        continue
                    score = scale * np.dot(q[b, h, i], k[b, h // group, j])
                    if cap:
                        score = cap * np.tanh(score / cap)
                    if mask is not None:
                        entry = np.broadcast_to(mask, (q.shape[0], q.shape[1], q.shape[2], k.shape[2]))[b, h, i, j]
                        if mask.dtype == np.bool_:
                            if not entry:
                                continue
                        else:
                            score += float(entry)
                    if score == -np.inf:
                        continue
                    seen.append(j)
                    scores.append(score)
                if not seen:
                    continue
                scores = np.array(scores + ([float(sinks[h])] if sinks is not None else []))
                weights = np.exp(scores - scores.max())
                result[b, h, i] = weights[:len(seen)] @ v[b, h // group, seen] / weights.sum()
    return result


def attention(random):
    for number in range(48):
        kind = ["f32", "f16", "bf16", "f32", "f64"][number % 5]
        batch, shared, group = random.pick([1, 2]), random.pick([1, 2]), random.pick([1, 1, 2, 3])
        queries, keys = random.pick([1, 2, 3, 5]), random.pick([1, 3, 4, 7])
        width, columns = random.pick([1, 4, 5, 8]), random.pick([1, 3, 4])
        heads = shared * group
        q = random.values(kind, (batch, heads, queries, width), 1)
        k, v = random.values(kind, (batch, shared, keys, width), 1), random.values(kind, (batch, shared, keys, columns), 1)
        mask = None
        if number % 3 == 1:
            shape = random.pick([(queries, keys), (batch, 1, 1, keys), (1, heads, queries, 1), (keys,)])
            mask = random.values(kind, shape, 1) if random.chance() else random.values("bool", shape)
            if mask.dtype != np.bool_ and random.chance(0.3):
                mask.reshape(-1)[0] = -np.inf
        sinks = random.values(kind, (heads,), 1) if number % 4 == 3 else None
        before, after = random.pick([-1, -1, 0, 2]), random.pick([-1, 0, 0, 1])
        offset = random.pick([0, keys - queries, 0, -1, 1])
        scale, cap = random.pick([1.0, 0.5, 0.25]), random.pick([0.0, 0.0, 1.5])
        result = rounded(attend(wide(q), wide(k), wide(v), mask, sinks, scale, before, after, offset, cap), kind)
        swapped = number % 6 == 5
        text = flags(scale=scale, before=before, after=after, offset=offset, soft_cap=cap, sequence_first=swapped)
        turned = [np.ascontiguousarray(np.swapaxes(t, 1, 2)) if swapped else t for t in (q, k, v, result)]
        cases.op("attention", text, turned[:3] + [mask, sinks], turned[3], "sums")
    for number in range(10):
        q, k, v = random.normal(2, 4, 3, 8), random.normal(2, 2, 5, 8), random.normal(2, 2, 5, 6)
        mask = [None, random.normal(3, 5), random.values("bool", (2, 1, 3, 5)) | np.eye(3, 5, dtype=bool)][number % 3]
        causal = number % 2
        given = [q, k, v] + ([mask] if mask is not None else [])
        result = runtime("Attention", given, opset=23, is_causal=causal, scale=0.3)[0]
        text = flags(scale=0.3, after=0 if causal else None)
        cases.op("attention", text, [q, k, v, mask], result, "single", "onnxruntime")
    q, k, v = random.normal(1, 2, 3, 4), random.normal(1, 2, 0, 4), random.normal(1, 2, 0, 5)
    cases.op("attention", "", [q, k, v], np.zeros((1, 2, 3, 5), np.float32))


def linear(random):
    for number in range(20):
        rule, scale = ["linear", "gated", "delta", "gated_delta"][number % 4], random.pick([0.5, 0.25, 1.0])
        batch, steps, shared, group = random.pick([1, 2]), random.pick([1, 3, 5]), random.pick([1, 2]), random.pick([1, 2])
        width, columns, heads = random.pick([2, 4]), random.pick([1, 3, 5]), shared * group
        kind = (["f32"] + FLOATS)[number % 5]
        q = random.normal(batch, steps, heads, width, dtype=kind)
        k = random.normal(batch, steps, shared, width, scale=0.5, dtype=kind)
        v = random.normal(batch, steps, shared, columns, dtype=kind)
        decay = rounded(np.exp(-np.abs(wide(random.normal(batch, steps, shared, width if number % 8 < 4 else 1)))), kind) \
            if "gated" in rule else None
        rate = np.abs(random.normal(batch, steps, shared, 1, scale=0.3, dtype=kind)) if "delta" in rule else None
        state = random.normal(batch, shared, width, columns, dtype=kind) if number % 3 else None

        def flat(x):
            return None if x is None else x.reshape(batch, steps, -1).astype(np.float32)

        gates = None if decay is None else np.log(wide(decay))
        start = None if state is None else state.astype(np.float32)
        given = [flat(q), flat(k), flat(v), start, flat(gates), flat(rate)]
        while given[-1] is None:
            given.pop()
        result, last = evaluator("LinearAttention", given, outputs=2, opset=27, q_num_heads=heads, kv_num_heads=shared,
                                 update_rule=rule, scale=scale)
        cases.op("linear_attention", flags(scale=scale), [q, k, v, decay, rate, state],
                 [rounded(result.reshape(batch, steps, heads, columns), kind), rounded(last, kind)], "single", "onnx")


def rope(random):
    for number in range(24):
        kind = ["f32", "f16", "bf16", "f64"][number % 4]
        width, turning, pairs = random.pick([(6, 4, 2), (8, 8, 4), (2, 2, 1), (10, 4, 2), (16, 16, 8)])
        x = random.values(kind, (2, 3, 4, width), 1)
        angle = random.normal(*random.pick([(4, pairs), (2, 1, 4, pairs), (1, pairs)]))
        cos, sin = (rounded(function(wide(angle)), kind) for function in (np.cos, np.sin))
        flat, c, s = wide(x), wide(cos), wide(sin)
        interleaved = bool(number % 3 == 1)
        a, b = (flat[..., 0:turning:2], flat[..., 1:turning:2]) if interleaved else \
            (flat[..., :pairs], flat[..., pairs:turning])
        turned = (a + 1j * b) * (c + 1j * s)
        result = flat.copy()
        if interleaved:
            result[..., 0:turning:2], result[..., 1:turning:2] = turned.real, turned.imag
        else:
            result[..., :pairs], result[..., pairs:turning] = turned.real, turned.imag
        cases.op("rope", flags(interleaved=interleaved), [x, cos, sin], rounded(result, kind), "sums")
    for interleaved in [0, 1]:
        x, angle = random.normal(2, 3, 4, 8), random.normal(2, 4, 4)
        cos, sin = np.cos(angle), np.sin(angle)
        result = runtime("RotaryEmbedding", [x, cos, sin], opset=23, interleaved=interleaved)[0]
        text = flags(interleaved=bool(interleaved))
        cases.op("rope", text, [x, cos[:, None], sin[:, None]], result, "single", "onnxruntime")


def make():
    random = Random(104)
    for family in [attention, linear, rope]:
        family(random)
