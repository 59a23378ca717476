"""Shapes, random bits, control, fusions and sequences: NumPy and plain Python, with the op's text beside it."""
import numpy as np
from scipy import special

from oracle import EVERY, Random, cases, flags, type_of


def shapes(random):
    for kind in EVERY:
        x = random.values(kind, random.shape())
        cases.op("shape", "", [x], np.array(x.shape, dtype=np.int64).reshape(-1))
    for kind in ["f32", "f64", "f16", "i8", "u8", "i32", "i64", "bool"]:
        for shape in [(), (3,), (2, 3), (0,)]:
            x = random.values(kind, shape)
            values = [str(bool(v)).lower() if kind == "bool" else repr(float(v)) if kind[0] == "f" else str(int(v))
                      for v in np.ravel(x)]
            text = ", ".join(values)
            kind_of = type_of(np.asarray(x))
            cases.body(f"%r0 = constant {{value = {kind_of} [{text}]}} : {kind_of}", [], [("r0", x)], "bits")
    for n, m in [(3, 5), (1, 1), (8, 2), (7, 3)]:
        x = random.normal(n, m)
        known = {"n": n, "m": m, "2 * n + 1": 2 * n + 1, "n * m - 3": n * m - 3, "ceildiv(n, 2)": -(-n // 2),
                 "floordiv(n + m, 3)": (n + m) // 3, "max(n, m)": max(n, m), "min(n, 4)": min(n, 4), "mod(n, 3)": n % 3,
                 "-5": -5}
        for text, value in known.items():
            cases.body(f"%r0 = dim {{value = {text}}} : i64[]", [x], [("r0", np.int64(value))], types=["f32[n, m]"])
        cases.body("%r0 = iota {extent = n * m} : i64[n * m]", [x], [("r0", np.arange(n * m))], types=["f32[n, m]"])
    for count in [0, 1, 9]:
        cases.op("iota", flags(extent=count), [], np.arange(count))
        cases.body("%e = extent %0 {symbol = s} : i64[]\n%r0 = iota {extent = s} : i64[s]", [np.int64(count)],
                   [("r0", np.arange(count))])


def scrambled(values):
    """SplitMix64's finalizer on u64 arrays."""
    values = np.asarray(values, dtype=np.uint64)
    for shift, factor in [(30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)]:
        values = (values ^ (values >> np.uint64(shift))) * np.uint64(factor)
    return values ^ (values >> np.uint64(31))


def bits(random):
    for number in range(12):
        seed, stream = random.pick([0, 1, 42, -1, 2**62, -(2**40)]), random.pick([0, 0, 1, 7, -3])
        shape = random.shape()
        count = int(np.prod(shape))
        with np.errstate(over="ignore"):
            first = scrambled(np.uint64(seed & (2**64 - 1)))
            key = scrambled(np.asarray(first + np.uint64(stream & (2**64 - 1))))
            steps = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            numbers = scrambled(key + steps)
        kind = ["u32", "u64"][number % 2]
        numbers = (numbers >> np.uint64(32)).astype(np.uint32) if kind == "u32" else numbers
        cases.op("random_bits", flags(to=kind, shape=list(shape), seed=seed, stream=stream), [], numbers.reshape(shape))


def branches(random):
    for flag in [True, False]:
        for shape in [(3,), (2, 5), ()]:
            x, y = random.normal(*shape), random.normal(*shape)
            kind = type_of(np.asarray(x))
            body = (f"%r0, %r1 = if %0 then {{\n%a = add %1, %2 : {kind}\nyield %a, %1\n}} else {{\n"
                    f"%b = mul %1, %2 : {kind}\nyield %b, %2\n}} : {kind}, {kind}")
            cases.body(body, [np.array(flag), x, y], [("r0", x + y if flag else x * y), ("r1", x if flag else y)])
    for trip, go, limit in [(3, None, 1000.0), (7, None, 20.0), (3, True, 1000.0), (100, True, 50.0), (0, True, 9.0), (5, False, 9.0), (None, True, 30.0)]:
        x = np.abs(random.normal(3)) + np.float32(1)
        value, seen, number, condition = np.zeros(3, np.float32), [], 0, go is not False
        while condition and (trip is None or number < trip):
            value, number = value + x, number + 1
            seen.append(value)
            condition = bool(value[0] < np.float32(limit))
        operands = "%1" if trip is not None else "_"
        start = "%2" if go is not None else "_"
        body = (f"%r0, %r1 = loop {operands}, {start}, %3 {{extent = t}} body(%i: i64[], %again: bool[], %v: f32[3]) {{\n"
                f"%next = add %v, %0 : f32[3]\n%zero = constant {{value = i64[] [0]}} : i64[]\n"
                f"%head = gather %next, %zero : f32[]\n%bound = constant {{value = f32[] [{limit}]}} : f32[]\n"
                f"%small = less %head, %bound : bool[]\nyield %small, %next, %next\n}} : f32[3], f32[t, 3]")
        inputs = [x, np.int64(0 if trip is None else trip), np.array(bool(go)), np.zeros(3, np.float32)]
        cases.body(body, inputs, [("r0", value), ("r1", np.array(seen, np.float32).reshape(-1, 3))])


def fusions(random):
    for rows, columns in [(4, 8), (1, 17), (3, 1)]:
        x, bias = random.normal(rows, columns), random.normal(columns)
        full, row = f"f32[{rows}, {columns}]", f"f32[{columns}]"
        body = (f"%r0 = fusion %0, %1 {{role = map}} body(%a: {full}, %b: {row}) {{\n%s = add %a, %b : {full}\n"
                f"%t = relu %s : {full}\nyield %t\n}} : {full}")
        cases.body(body, [x, bias], [("r0", np.maximum(x + bias, 0))])
        w = random.normal(columns, 5)
        body = (f"%r0 = fusion %0, %1 {{role = contraction}} body(%a: {full}, %b: f32[{columns}, 5]) {{\n"
                f"%p = matmul %a, %b : f32[{rows}, 5]\n%t = sigmoid %p : f32[{rows}, 5]\nyield %t\n}} : f32[{rows}, 5]")
        exact = special.expit(x.astype(np.float64) @ w.astype(np.float64))
        cases.body(body, [x, w], [("r0", exact.astype(np.float32))], "single")


def sequences(random):
    for kind in ["f32", "i64", "bool"]:
        parts = [random.values(kind, (2, 3)) for _ in range(3)]
        for place in [0, 2, -1, -3]:
            body = (f"%s = sequence_make %0, %1, %2 : seq<{kind}[2, 3]>\n%r0 = sequence_at %s, %3 : {kind}[2, 3]\n"
                    f"%r1 = sequence_length %s : i64[]")
            cases.body(body, parts + [np.int64(place)], [("r0", parts[place]), ("r1", np.int64(3))])


def make():
    random = Random(111)
    for family in [shapes, bits, branches, fusions, sequences]:
        family(random)
