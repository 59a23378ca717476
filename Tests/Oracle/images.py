"""Image ops: ONNX Runtime, and ONNX's evaluator where the runtime lacks a type."""
import numpy as np

from oracle import FLOATS, INTEGERS, TYPES, Random, cases, evaluator, first, flags, last, rounded, runtime, wide

WAYS = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"]
ROUNDINGS = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]


def listed(values):
    return f"f64[{len(values)}] [{', '.join(repr(float(value)) for value in values)}]"


def resize(random):
    for number in range(45):
        mode = ["nearest", "linear", "cubic"][number % 3]
        rank = 4 if mode == "cubic" else random.pick([3, 4, 4, 5] if mode == "nearest" else [4, 4, 5])
        kind = (["f32"] + FLOATS)[number % 5]
        x = random.normal(1, random.pick([1, 2]), *[random.pick([1, 2, 3, 5]) for _ in range(rank - 2)], dtype=kind)
        sizes = list(x.shape[:2]) + [random.pick([1, 2, 4, 7]) for _ in range(rank - 2)]
        # Where places fall halfway, the error of how a peer computes them would decide.
        way, rounding = random.pick(["pytorch_half_pixel", "align_corners", "asymmetric"]), random.pick(ROUNDINGS)
        if mode != "nearest":
            way = random.pick(WAYS)
        else:
            rounding = random.pick(["floor", "round_prefer_floor"] if way != "asymmetric" else ["floor", "ceil"])
            sizes = [extent * random.pick([1, 2, 4]) if i > 1 else extent for i, extent in enumerate(x.shape)]
        antialias = bool(mode != "nearest" and way == "half_pixel" and rank == 4)
        outside = bool(mode == "cubic" and number % 2 and not antialias)
        factor = random.pick([-0.75, -0.5])
        settings = dict(opset=19, mode=mode, coordinate_transformation_mode=way, nearest_mode=rounding,
                        antialias=int(antialias), exclude_outside=int(outside), cubic_coeff_a=factor)
        result = runtime("Resize", [x.astype(np.float32), None, None, np.array(sizes)], **settings)[0]
        text = flags(shape=sizes, mode=mode, coordinates=way, rounding=rounding, cubic_coefficient=factor,
                     exclude_outside=outside, antialias=antialias)
        cases.op("resize", text, [x], rounded(result, kind), "single", "onnxruntime")
    for way, rounding in [("tf_half_pixel_for_nn", "floor"), ("half_pixel", "round_prefer_ceil"),
                          ("half_pixel_symmetric", "floor")]:
        # The older version has the older word, and no way to leave operands out.
        opset, given = (11, [np.zeros(0, np.float32)] * 2) if way.startswith("tf") else (19, [None, None])
        x = random.normal(1, 1, 5, 4)
        result = runtime("Resize", [x, *given, np.array([1, 1, 10, 8])], opset=opset,
                         mode="nearest", nearest_mode=rounding, coordinate_transformation_mode=way)[0]
        text = flags(shape=[1, 1, 10, 8], coordinates=way, rounding=rounding)
        cases.op("resize", text, [x], result, peer="onnxruntime")
    for number in range(18):
        mode = ["nearest", "linear", "cubic"][number % 3]
        x = random.normal(1, 2, random.pick([3, 5]), random.pick([2, 4, 6]))
        scales = np.array([1, 1, random.pick([0.6, 1.7, 2.3]), random.pick([0.45, 1.3, 3.1])], np.float32)
        result = runtime("Resize", [x, None, scales], opset=19, mode=mode, coordinate_transformation_mode="asymmetric",
                         nearest_mode="floor")[0]
        text = flags(shape=list(result.shape), mode=mode, coordinates="asymmetric", rounding="floor")
        if number % 2:
            cases.op("resize", text, [x, scales], result, "single", "onnxruntime")
        else:
            cases.op("resize", text + f", scales = {listed(scales)}", [x], result, "single", "onnxruntime")
    for number in range(12):
        mode = ["nearest", "linear", "cubic"][number % 3]
        x = random.normal(1, 2, random.pick([4, 5]), random.pick([3, 6]))
        region = np.array([0, 0, random.pick([0, 0.13, -0.2]), 0.21, 1, 1, random.pick([0.9, 1.3]), 0.77], np.float32)
        sizes = [1, 2, random.pick([3, 5]), random.pick([2, 7])]
        # The runtime leaves axes alone whose extent stays, whatever their region.
        ask = runtime if all(a != b for a, b in zip(sizes[2:], x.shape[2:])) else evaluator
        result = ask("Resize", [x, region, None, np.array(sizes)], opset=19, mode=mode, extrapolation_value=-7.5,
                     coordinate_transformation_mode="tf_crop_and_resize", nearest_mode="floor")[0]
        peer = "onnxruntime" if ask is runtime else "onnx"
        text = flags(shape=sizes, mode=mode, coordinates="tf_crop_and_resize", rounding="floor", extrapolation=-7.5)
        if number % 2:
            cases.op("resize", text, [x, None, region], result, "single", peer)
        else:
            cases.op("resize", text + f", region = {listed(region)}", [x], result, "single", peer)
    for kind in ["f16", "bf16", "f64", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"]:
        # Each element twice or thrice: nothing is computed.
        x = random.values(kind, (1, 2, 3, 4))
        result = np.repeat(np.repeat(x, 2, 2), 3, 3)
        cases.op("resize", flags(shape=[1, 2, 6, 12], coordinates="asymmetric", rounding="floor"), [x], result)
        if kind in ("f16", "bf16", "f64"):
            exact = wide(x)
            exact = (exact[..., 0::2] + exact[..., 1::2]) / 2
            cases.op("resize", flags(shape=[1, 2, 3, 2], mode="linear"), [x], exact.astype(TYPES[kind]), "rounded")


def sample(random):
    for number in range(54):
        mode, padding = ["nearest", "linear", "cubic"][number % 3], ["zeros", "border", "reflection"][number // 3 % 3]
        corners = bool(number // 9 % 2)
        solid = mode != "cubic" and number % 4 == 1
        spatial = [random.pick([1, 2, 3, 5]) for _ in range(3 if solid else 2)]
        batch = random.pick([1, 2])
        places = [random.pick([1, 2, 3]) for _ in spatial]
        kind = (["f32"] + FLOATS)[number % 5]
        x = random.normal(batch, *spatial, random.pick([1, 3]), dtype=kind)
        grid = random.normal(batch, *places, len(spatial), scale=0.9)
        if padding == "reflection" and corners and 1 in spatial:
            continue
        result = runtime("GridSample", [first(x).astype(np.float32), grid], opset=20, mode=mode, padding_mode=padding, align_corners=int(corners))[0]
        text = flags(mode=mode, padding=padding, align_corners=corners)
        cases.op("grid_sample", text, [x, grid], rounded(last(result), kind), "resampled", "onnxruntime")


def regions(random):
    for number in range(20):
        images, channels = random.pick([1, 2]), random.pick([1, 3])
        kind = (["f32"] + FLOATS)[number % 5]
        x = random.normal(images, random.pick([3, 5]), random.pick([4, 6]), channels, dtype=kind)
        count = random.pick([0, 1, 3])
        corner, extent = random.source.random((count, 2)) * 3 - 1, random.source.random((count, 2)) * 4 + 0.3
        boxes = np.concatenate([corner, corner + extent], 1).astype(TYPES[kind])
        of = random.integers(0, images - 1, count)
        size, samples, scale = [random.pick([1, 2]), random.pick([1, 3])], random.pick([0, 1, 2]), random.pick([1.0, 0.5])
        half, greatest = bool(number % 2), bool(number // 2 % 2)
        settings = dict(opset=16, output_height=size[0], output_width=size[1], sampling_ratio=samples, spatial_scale=scale,
                        coordinate_transformation_mode="half_pixel" if half else "output_half_pixel",
                        mode="max" if greatest else "avg")
        result = runtime("RoiAlign", [first(x).astype(np.float32), boxes.astype(np.float32), of], **settings)[0]
        text = flags(size=size, samples=samples, scale=scale, max=greatest, half_pixel=half)
        cases.op("region_align", text, [x, boxes, of], rounded(last(result), kind), "resampled", "onnxruntime")


def fold(random):
    for number in range(39):
        axes = random.pick([1, 2, 2, 3])
        window = [random.pick([1, 2, 3]) for _ in range(axes)]
        strides, dilations = [random.pick([1, 2]) for _ in range(axes)], [random.pick([1, 1, 2]) for _ in range(axes)]
        padding = [random.pick([0, 1]) for _ in range(2 * axes)]
        spatial = [dilations[i] * (window[i] - 1) + random.number(1, 4) for i in range(axes)]
        places = [(spatial[i] + padding[i] + padding[i + axes] - dilations[i] * (window[i] - 1) - 1) // strides[i] + 1
                  for i in range(axes)]
        kind = (["f32"] + FLOATS + INTEGERS)[number % 13]
        x = random.values(kind, (random.pick([1, 2]), 2 * int(np.prod(window)), int(np.prod(places))), 1)
        if kind in INTEGERS:
            x = (np.asarray(x).astype(np.int64) & 15).astype(TYPES[kind])
        given = [x.astype(np.float32), np.array(spatial), np.array(window)]
        result = evaluator("Col2Im", given, opset=18, pads=padding, strides=strides, dilations=dilations)[0]
        if kind == "f32" and axes == 2:
            mine = runtime("Col2Im", given, opset=18, pads=padding, strides=strides, dilations=dilations)[0]
            assert np.allclose(mine, result, atol=1e-5)
        text = flags(spatial=spatial, window=window, strides=strides, padding=padding, dilations=dilations)
        cases.op("fold", text, [x], result.astype(TYPES[kind]), "exact" if kind in INTEGERS else "single", "onnx")


def make():
    random = Random(109)
    for family in [resize, sample, regions, fold]:
        family(random)
