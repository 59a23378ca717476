import IR

/// Which ops of a component should work on permuted data so that the transposes around them move the fewest bytes.
///
/// A minimum cut: ops on the sink's side are permuted. A value that both sides read is transposed once.
struct LayoutChoice {
  /// Bytes that transposes move now, and would move.
  private(set) var costNow = 0
  private(set) var costThen = 0
  private(set) var permuted: Set<OpID> = []

  private let component: LayoutComponent
  private var network = MinimumCut()
  private var nodes: [OpID: Int] = [:]

  init(_ component: LayoutComponent, _ context: PassContext) {
    self.component = component
    for op in component.members.keys.sorted() { nodes[op] = network.addNode() }
    for value in component.permutations.keys.sorted() { addCosts(of: value, context) }
    for (op, rule) in component.members { addCostsOfSmallOperands(op, rule, context) }
    let cut = network.solve()
    costThen = cut.cost
    for (op, node) in nodes where cut.isOnSinkSide[node] { permuted.insert(op) }
  }

  private mutating func addCosts(of value: ValueID, _ context: PassContext) {
    guard let p = component.permutations[value], let type = context.function.tensorType(value) else { return }
    var consumers: Set<Int> = []
    var isReadOutside = false
    var transposes: [Transpose] = []
    for use in context.function[value].uses {
      guard case .operand(let user, _) = use else {
        isReadOutside = true
        continue
      }
      if let node = nodes[user] {
        consumers.insert(node)
      } else if let kind = context.kind(user, Transpose.self) {
        transposes.append(kind)
      } else if FlattenIntoMatMul(user, reading: p, of: value, context) == nil {
        isReadOutside = true
      }
    }
    let size = LayoutChoice.cost(p, type, context)
    if let producer = context.function.definingOp(value), let node = nodes[producer] {
      addInner(node, consumers.subtracting([node]).sorted(), size: size, isReadOutside: isReadOutside)
      for transpose in transposes {
        let now = LayoutChoice.cost(transpose.permutation, type, context)
        let then = LayoutChoice.cost(composed(inverse(p), transpose.permutation), permuted: p, type, context)
        costNow += now
        network.connect(node, MinimumCut.sink, now)
        network.connect(MinimumCut.source, node, then)
      }
    } else {
      addOuter(value, p, type, consumers.sorted(), isRead: isReadOutside || !transposes.isEmpty, context)
    }
  }

  /// A value that an op of the component computes.
  private mutating func addInner(_ node: Int, _ consumers: [Int], size: Int, isReadOutside: Bool) {
    if !consumers.isEmpty {
      let forth = network.addNode()
      network.connect(node, forth, size)
      for consumer in consumers { network.connect(forth, consumer, MinimumCut.infinite) }
    }
    if isReadOutside {
      network.connect(MinimumCut.source, node, size)
    } else if !consumers.isEmpty {
      let back = network.addNode()
      network.connect(back, node, size)
      for consumer in consumers { network.connect(consumer, back, MinimumCut.infinite) }
    }
  }

  /// A value that comes from outside: through a transpose, which may cancel, or as it is.
  private mutating func addOuter(
    _ value: ValueID, _ p: [Int], _ type: TensorType, _ consumers: [Int], isRead: Bool, _ context: PassContext
  ) {
    guard !consumers.isEmpty else { return }
    var asIs = 0
    var permuted = LayoutChoice.cost(p, type, context)
    if let source = context.producer(of: value, Transpose.self), let x = context.operand(source.op, 0),
      let inner = context.function.tensorType(x)
    {
      asIs = isRead ? 0 : LayoutChoice.cost(source.kind.permutation, inner, context)
      permuted = LayoutChoice.cost(composed(source.kind.permutation, p), inner, context)
    }
    costNow += asIs
    let forth = network.addNode()
    network.connect(MinimumCut.source, forth, permuted)
    let stay = network.addNode()
    network.connect(stay, MinimumCut.sink, asIs)
    for consumer in consumers {
      network.connect(forth, consumer, MinimumCut.infinite)
      network.connect(consumer, stay, MinimumCut.infinite)
    }
  }

  /// Operands of lower rank that need a transpose once their axes no longer match from the right.
  private mutating func addCostsOfSmallOperands(_ op: OpID, _ rule: LayoutRule, _ context: PassContext) {
    guard let node = nodes[op] else { return }
    for (operand, role) in zip(context.function[op].operands, rule.operands) {
      guard let operand, case .expands(let rank, let p) = role, !context.isFoldable(operand),
        let type = context.function.tensorType(operand)
      else { continue }
      let shape = Array(repeating: Dim(1), count: rank - type.rank) + type.shape
      network.connect(MinimumCut.source, node, LayoutChoice.cost(p, type.with(shape: shape), context))
    }
  }

  /// Bytes that a transpose of a tensor moves; nothing when it keeps the order of elements.
  static func cost(_ permutation: [Int], _ type: TensorType, _ context: PassContext) -> Int {
    guard movesData(permutation, type.shape) else { return 0 }
    var elements = 1
    for dim in type.shape {
      // A symbol counts as something between its bounds; all of them alike.
      let range = context.bounds(dim)
      let extent = dim.constant ?? min(max(range.lowerBound, 16), range.upperBound)
      let (product, overflow) = elements.multipliedReportingOverflow(by: max(extent, 1))
      elements = overflow || product > 1 << 40 ? 1 << 40 : product
    }
    return max(1, elements * (type.element.storage?.bits ?? 8) / 8)
  }

  /// The same for a tensor whose axes are permuted first.
  private static func cost(_ permutation: [Int], permuted p: [Int], _ type: TensorType, _ context: PassContext) -> Int {
    cost(permutation, type.with(shape: p.map { type.shape[$0] }), context)
  }
}
