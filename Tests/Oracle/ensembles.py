"""Decision trees: onnxruntime's ensembles, whose comparisons are all of the one kind that the op has; NumPy for f64."""
import numpy as np

from oracle import TYPES, Random, cases, runtime, type_of


def literal(name, array):
    values = [str(int(v)) if array.dtype.kind == "i" else repr(float(v)) for v in np.ravel(array)]
    kind = type_of(array)
    return f"%{name} = constant {{value = {kind} [{', '.join(values)}]}} : {kind}"


def grown(random, count, features, outputs, kind):
    """Tables of random trees: nodes before their children, leaves numbered from 0."""
    table = {"features": [], "thresholds": [], "children": [], "roots": []}
    weights = []
    for _ in range(count):
        def grow(depth):
            if depth == 3 or depth > 0 and random.chance(0.3):
                # Sums of these are exact, in whatever order.
                weights.append(np.round(random.normal(outputs, dtype=kind) * 64) / 64)
                return -len(weights)
            number = len(table["features"])
            table["features"].append(random.number(0, features - 1))
            table["thresholds"].append(random.number(-4, 4) * 0.25)
            table["children"].append(None)
            table["children"][number] = (grow(depth + 1), grow(depth + 1))
            return number
        table["roots"].append(grow(0))
    return table, np.array(weights)


def attributes(table, weights, outputs):
    """The same trees as onnxruntime takes them: one node for each node and each way to a leaf."""
    given = {key: [] for key in ["treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids"]}
    leaves = {key: [] for key in ["treeids", "nodeids", "ids", "weights"]}
    for tree, root in enumerate(table["roots"]):
        pending, used = [(root, 0)], 1
        while pending:
            place, number = pending.pop()
            isLeaf = place < 0
            row = [tree, number, 0 if isLeaf else table["features"][place], 0.0 if isLeaf else table["thresholds"][place],
                   "LEAF" if isLeaf else "BRANCH_LEQ", 0 if isLeaf else used, 0 if isLeaf else used + 1]
            for key, value in zip(given, row):
                given[key].append(value)
            if isLeaf:
                for output in range(outputs):
                    for key, value in zip(leaves, [tree, number, output, float(weights[-1 - place][output])]):
                        leaves[key].append(value)
            else:
                pending += [(table["children"][place][0], used), (table["children"][place][1], used + 1)]
                used += 2
    return {f"nodes_{key}": value for key, value in given.items()} | {f"target_{key}": value for key, value in leaves.items()}


def trees(random):
    for kind, function, outputs in [("f32", "sum", 1), ("f32", "sum", 3), ("f32", "min", 2), ("f32", "max", 2), ("f64", "sum", 2), ("f64", "max", 1)]:
        for rows in [1, 6, 19]:
            table, weights = grown(random, 5, 4, outputs, kind)
            x = random.integers(-6, 6, rows, 4).astype(TYPES[kind]) * np.asarray(0.25, TYPES[kind])
            if kind == "f32":
                result = runtime("TreeEnsembleRegressor", [x], domain="ai.onnx.ml", n_targets=outputs,
                                 aggregate_function=function.upper(), **attributes(table, weights, outputs))[0]
            else:
                result = np.array([walked(row, table, weights, function) for row in x])
            tables = {
                "f": np.array(table["features"], np.int32), "t": np.array(table["thresholds"], TYPES[kind]),
                "c": np.array(table["children"], np.int32).reshape(-1, 2), "r": np.array(table["roots"], np.int32),
                "o": np.zeros(5, np.int32), "w": weights.astype(TYPES[kind])}
            lines = [literal(name, array) for name, array in tables.items()]
            word = "" if function == "sum" else f", function = {function}"
            lines.append(f"%r0 = trees %0, %f, %t, %c, %r, %o, %w {{outputs = {outputs}{word}}} : {type_of(result)}"
                         .replace("{outputs = 1, ", "{").replace(" {outputs = 1}", ""))
            cases.body("\n".join(lines), [x], [("r0", result)], "sums", "onnxruntime" if kind == "f32" else "numpy")


def walked(row, table, weights, function):
    found = []
    for place in table["roots"]:
        while place >= 0:
            place = table["children"][place][0 if row[table["features"][place]] <= table["thresholds"][place] else 1]
        found.append(weights[-1 - place])
    return {"sum": np.sum, "max": np.max, "min": np.min}[function](found, axis=0)


def make():
    trees(Random(112))
