import Formats
import Support

/// Changes a model as a model, where changing bytes would mostly break its framing: names are swapped for others of the
/// model, numbers for those that break things, nodes for nodes of other kinds.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutateONNX(_ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int, _ seed: UInt32) -> Int {
  var random = Dice(state: UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 | 1)
  let bytes = ByteView(copying: UnsafeRawBufferPointer(start: start, count: count))
  guard random.below(4) > 0, var model = try? ONNXModel.decode(bytes, name: "seed") else {
    return mutateBytes(start, count, limit)
  }
  for _ in 0...random.below(3) { change(&model, &random) }
  let changed = model.encode()
  guard changed.count <= limit else { return mutateBytes(start, count, limit) }
  for (place, byte) in changed.enumerated() { start[place] = byte }
  return changed.count
}

/// libFuzzer's own changes.
@_silgen_name("LLVMFuzzerMutate")
private func mutateBytes(_ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int) -> Int

private struct Dice {
  var state: UInt64

  mutating func below(_ limit: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state >> 33) % max(limit, 1)
  }

  mutating func pick<Element>(_ items: [Element]) -> Element? { items.isEmpty ? nil : items[below(items.count)] }

  /// Mostly a small number, else one at an edge.
  mutating func number() -> Int {
    let edges = [
      Int.max, Int.min, Int.max - 1, Int.min + 1, 1 << 31, -(1 << 31), 1 << 32, 1 << 20, 1 << 40, 1 << 62, 65536, 255,
      256,
    ]
    return below(4) == 0 ? edges[below(edges.count)] : below(9) - 3
  }

  mutating func float() -> Float {
    [0, -0.0, 1, -1, 0.5, .nan, .infinity, -.infinity, 1e-30, 3e38][below(10)]
  }
}

private func change(_ model: inout ONNXModel, _ random: inout Dice) {
  if random.below(20) == 0, !model.operatorSets.isEmpty {
    let set = random.below(model.operatorSets.count)
    model.operatorSets[set].version = random.below(30)
    return
  }
  if random.below(6) == 0, !model.functions.isEmpty {
    let function = random.below(model.functions.count)
    change(&model.functions[function].nodes, names(model.functions[function].nodes), &random)
    return
  }
  var graph = model.graph
  change(&graph, &random)
  model.graph = graph
}

private func names(_ nodes: [ONNXNode]) -> [String] { nodes.flatMap { $0.inputs + $0.outputs } + [""] }

private func change(_ graph: inout ONNXGraph, _ random: inout Dice) {
  let known = names(graph.nodes) + graph.inputs.map(\.name) + graph.initializers.map(\.name)
  switch random.below(10) {
  case 0 where !graph.initializers.isEmpty:
    let number = random.below(graph.initializers.count)
    change(&graph.initializers[number], &random)
  case 1 where !graph.inputs.isEmpty:
    let number = random.below(graph.inputs.count)
    change(&graph.inputs[number], &random)
  case 2 where !graph.outputs.isEmpty:
    let number = random.below(graph.outputs.count)
    if let name = random.pick(known) { graph.outputs[number].name = name }
  case 3 where graph.nodes.count < 24:
    // The same once more, elsewhere: it may then read what it made.
    if var node = random.pick(graph.nodes) {
      node.outputs = node.outputs.map { $0.isEmpty ? "" : $0 + "'" }
      graph.nodes.insert(node, at: random.below(graph.nodes.count + 1))
    }
  case 4 where graph.nodes.count > 1: graph.nodes.remove(at: random.below(graph.nodes.count))
  default: change(&graph.nodes, known, &random)
  }
}

private func change(_ nodes: inout [ONNXNode], _ known: [String], _ random: inout Dice) {
  guard !nodes.isEmpty else { return }
  let number = random.below(nodes.count)
  var node = nodes[number]
  switch random.below(7) {
  case 0: if let other = random.pick(operators) { node.operatorType = other }
  case 1,
    2 where !node.inputs.isEmpty:
    if !node.inputs.isEmpty, let name = random.pick(known) { node.inputs[random.below(node.inputs.count)] = name }
  case 3: if let name = random.pick(known) { node.inputs.append(name) }
  case 4 where !node.inputs.isEmpty: node.inputs.removeLast()
  default:
    guard !node.attributes.isEmpty else { break }
    let place = random.below(node.attributes.count)
    change(&node.attributes[place], &random)
  }
  nodes[number] = node
}

private func change(_ attribute: inout ONNXAttribute, _ random: inout Dice) {
  switch attribute.kind {
  case .int: attribute.int = random.number()
  case .float: attribute.float = random.float()
  case .ints:
    switch random.below(4) {
    case 0: attribute.ints.append(random.number())
    case 1 where !attribute.ints.isEmpty: attribute.ints.removeLast()
    default: if !attribute.ints.isEmpty { attribute.ints[random.below(attribute.ints.count)] = random.number() }
    }
  case .string: if let word = random.pick(words) { attribute.bytes = ByteView(utf8: word) }
  case .tensor:
    if var tensor = attribute.tensor {
      change(&tensor, &random)
      attribute.tensor = tensor
    }
  case .graph:
    if var graph = attribute.graph {
      change(&graph, &random)
      attribute.graph = graph
    }
  default: attribute.rawKind = Int32(random.below(15))
  }
}

private func change(_ tensor: inout ONNXTensor, _ random: inout Dice) {
  switch random.below(4) {
  case 0: tensor.rawType = Int32(random.below(29))
  case 1 where !tensor.dims.isEmpty: tensor.dims[random.below(tensor.dims.count)] = random.number()
  default:
    // Its numbers, as integers of 64 bits or as bytes.
    guard let bytes = try? tensor.bytes(), bytes.count > 0, bytes.count < 4096 else { return }
    var raw = bytes.bytes
    if raw.count % 8 == 0 {
      let (place, number) = (random.below(raw.count / 8) * 8, random.number())
      for byte in 0..<8 { raw[place + byte] = UInt8(truncatingIfNeeded: number >> (8 * byte)) }
    } else {
      raw[random.below(raw.count)] = UInt8(random.below(256))
    }
    guard let type = tensor.elementType else { return }
    tensor = ONNXTensor(tensor.name, type, dims: tensor.dims, data: ByteView(copying: raw))
  }
}

private func change(_ value: inout ONNXValueInfo, _ random: inout Dice) {
  guard var tensor = value.type?.tensor else { return }
  if random.below(4) == 0 {
    tensor.rawType = Int32(random.below(29))
  } else if let shape = tensor.shape, !shape.dimensions.isEmpty {
    var dimensions = shape.dimensions
    dimensions[random.below(dimensions.count)] =
      random.below(3) == 0 ? ONNXDimension(random.pick(["n", "m"]) ?? "n") : ONNXDimension(random.number())
    tensor.shape = ONNXShape(dimensions)
  } else {
    tensor.shape = ONNXShape([ONNXDimension(random.number())])
  }
  value.type = ONNXType(tensor: tensor)
}

/// Kinds of nodes that others may turn into.
private let operators: [String] = """
  Add Sub Mul Div Mod Pow Relu Clip Softmax LayerNormalization RMSNormalization MatMul Gemm Conv ConvTranspose MaxPool
  AveragePool Reshape Transpose Slice Concat Split Gather GatherND GatherElements ScatterND ScatterElements Expand Tile
  Pad Resize Shape Size ConstantOfShape Range Cast CastLike Where Equal Less Not And OneHot TopK NonZero Unique CumSum
  ReduceSum ReduceMean ReduceMax ArgMax Squeeze Unsqueeze Flatten Identity Dropout QuantizeLinear DequantizeLinear
  DynamicQuantizeLinear MatMulInteger ConvInteger QLinearMatMul LSTM GRU RNN Attention RotaryEmbedding
  GroupNormalization InstanceNormalization BatchNormalization LRN DepthToSpace SpaceToDepth GridSample RoiAlign
  NonMaxSuppression Einsum Trilu EyeLike DFT STFT HannWindow ReverseSequence BitShift BitCast SequenceConstruct
  SequenceAt SequenceEmpty ConcatFromSequence SplitToSequence Optional OptionalGetElement If Loop Scan Col2Im
  """.split { $0 == " " || $0 == "\n" }.map(String.init)

private let words = [
  "", "linear", "nearest", "cubic", "SAME_UPPER", "SAME_LOWER", "VALID", "reflect", "edge", "wrap", "constant", "sum",
  "mean", "none", "add", "mul", "bidirectional", "reverse", "LEFT", "RIGHT", "ij,jk->ik", "...ii->...i", "half_pixel",
  "align_corners", "tanh",
]
