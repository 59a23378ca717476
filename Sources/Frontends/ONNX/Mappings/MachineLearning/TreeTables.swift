import IR
import Support

/// Decision trees as a file has them, with any comparison at a node, on their way to the tables of `trees`, which knows
/// "at most" alone.
struct TreeTables {
  enum Mode: Int { case atMost, below, atLeast, above, equal, notEqual, member }

  enum Child: Hashable {
    case node(Int)
    case leaf(Int)
  }

  struct Node {
    var feature: Int
    var value: Double
    var mode: Mode
    /// What a node of mode `member` compares with.
    var members: [Double] = []
    var yes: Child
    var no: Child
    /// Where NaN goes as if the comparison held.
    var missingIsYes: Bool
  }

  let element: ElementType
  var nodes: [Node] = []
  var roots: [Child] = []
  /// By leaf: its weights and the outputs they are for.
  var leaves: [[(target: Int, weight: Double)]] = []

  init(_ element: ElementType) { self.element = element }

  // MARK: Nodes that compare in one way

  /// A node of the op, whose children are still numbers of these.
  private struct Plain {
    var feature: Int
    var threshold: Double
    var first: Int
    var second: Int
  }

  private struct Lowered {
    var plain: [Plain] = []
    /// The entry of each node of the file.
    var entries: [Int: Int] = [:]
  }

  /// Children come before their parents here; a negative number is a leaf.
  private func lowered(width: Int?) throws(Diagnostic) -> Lowered {
    var result = Lowered()
    var isOpen: Set<Int> = []
    var pending: [Int] = []
    for case .node(let root) in roots { pending.append(root) }
    while let number = pending.last {
      if result.entries[number] != nil {
        pending.removeLast()
        continue
      }
      let node = nodes[number]
      var isReady = true
      for case .node(let child) in [node.yes, node.no] where result.entries[child] == nil {
        guard !isOpen.contains(child) else { throw .invalid("node \(number) of a tree leads back to node \(child)") }
        pending.append(child)
        isReady = false
      }
      guard isReady else {
        isOpen.insert(number)
        continue
      }
      isOpen.remove(number)
      pending.removeLast()
      result.entries[number] = try emit(node, into: &result, width: width)
    }
    return result
  }

  private func place(_ child: Child, in lowered: Lowered) throws(Diagnostic) -> Int {
    switch child {
    case .leaf(let number): return -1 - number
    case .node(let number):
      guard let entry = lowered.entries[number] else { throw .bug("node \(number) comes too early") }
      return entry
    }
  }

  /// The greatest number below; nothing is below what has none.
  private func below(_ value: Double) -> Double {
    if value == -.infinity { return .nan }
    return element == .f64 ? value.nextDown : Double(Float(value).nextDown)
  }

  /// A node's comparison with "at most" alone, of a feature or of its negative. NaN goes to the second child.
  private func emit(_ node: Node, into lowered: inout Lowered, width: Int?) throws(Diagnostic) -> Int {
    let (yes, no) = (try place(node.yes, in: lowered), try place(node.no, in: lowered))
    let (value, feature) = (node.value, node.feature)
    guard feature >= 0, width.map({ feature < $0 }) ?? true else {
      throw .invalid("a tree asks for feature \(feature), the input has \(width ?? 0)")
    }
    func add(_ negative: Bool, _ threshold: Double, _ first: Int, _ second: Int) throws(Diagnostic) -> Int {
      if negative, width == nil { throw .unsupported("the number of features is open, which these trees have to know") }
      lowered.plain.append(
        Plain(feature: negative ? feature + (width ?? 0) : feature, threshold: threshold, first: first, second: second))
      return lowered.plain.count - 1
    }
    func equal(_ value: Double, _ yes: Int, _ no: Int, nanIsYes: Bool) throws(Diagnostic) -> Int {
      let inner = try add(false, below(value), no, yes)
      return nanIsYes ? try add(true, below(-value), no, inner) : try add(false, value, inner, no)
    }
    switch node.mode {
    case .atMost:
      return node.missingIsYes ? try add(true, below(-value), no, yes) : try add(false, value, yes, no)
    case .below:
      return node.missingIsYes ? try add(true, -value, no, yes) : try add(false, below(value), yes, no)
    case .atLeast:
      return node.missingIsYes ? try add(false, below(value), no, yes) : try add(true, -value, yes, no)
    case .above:
      return node.missingIsYes ? try add(false, value, no, yes) : try add(true, below(-value), yes, no)
    case .equal: return try equal(value, yes, no, nanIsYes: node.missingIsYes)
    case .notEqual: return try equal(value, no, yes, nanIsYes: false)
    case .member:
      var next = no
      for (number, member) in node.members.enumerated() {
        next = try equal(member, yes, next, nanIsYes: number == 0 && node.missingIsYes)
      }
      return next
    }
  }

  // MARK: The op

  /// The weights of all leaves, as a row of those outputs that the leaves of a tree have.
  private func weights(outputs: Int, missing: Double) throws(Diagnostic) -> (Tensor, targets: [Int]) {
    var ranges: [ClosedRange<Int>] = []
    var owners: [Int: Int] = [:]
    var isShared = false
    for (tree, root) in roots.enumerated() {
      var range: ClosedRange<Int>?
      for leaf in leafNumbers(from: root) {
        if owners.updateValue(tree, forKey: leaf) != nil { isShared = true }
        for (target, _) in leaves[leaf] {
          guard target >= 0, target < outputs else {
            throw .invalid("a leaf is for output \(target), there are \(outputs)")
          }
          range = range.map { min($0.lowerBound, target)...max($0.upperBound, target) } ?? target...target
        }
      }
      ranges.append(range ?? 0...0)
    }
    let width = isShared ? outputs : ranges.map(\.count).max() ?? 1
    let targets = ranges.map { min($0.lowerBound, outputs - width) }
    let (size, isLarge) = leaves.count.multipliedReportingOverflow(by: width)
    // A file of a few leaves may name any number of outputs.
    guard !isLarge, size <= max(1 << 22, min(1 << 28, leaves.count << 12)) else {
      throw .unsupported("\(leaves.count) leaves of \(width) outputs are too many")
    }
    var rows = Array(repeating: missing, count: leaves.count * width)
    for (root, start) in zip(roots, targets) {
      for leaf in leafNumbers(from: root) {
        var seen: Set<Int> = []
        for (target, weight) in leaves[leaf] {
          let place = leaf * width + target - start
          rows[place] = seen.insert(target).inserted ? weight : rows[place] + weight
        }
      }
    }
    return (Tensor(element, [leaves.count, width], doubles: rows), targets)
  }

  private func leafNumbers(from root: Child) -> [Int] {
    var found: [Int] = []
    var seen: Set<Child> = []
    var pending = [root]
    while let child = pending.popLast() {
      guard seen.insert(child).inserted else { continue }
      switch child {
      case .leaf(let number): found.append(number)
      case .node(let number): pending += [nodes[number].yes, nodes[number].no]
      }
    }
    return found
  }

  /// `[rows, outputs]` of the type of the trees.
  func add(
    _ c: ONNXNodeContext, _ x: ValueID, outputs: Int, _ function: TreeEnsemble.Function
  ) throws(Diagnostic) -> ValueID {
    let width = try c.shape(x)[1]
    let lowered = try lowered(width: width.constant)
    // Parents first: the numbers turn around.
    let count = lowered.plain.count
    func turned(_ place: Int) -> Int { place < 0 ? place : count - 1 - place }
    let order = Array(lowered.plain.reversed())
    let missing: Double = function == .sum ? 0 : function == .min ? .infinity : -.infinity
    let (table, targets) = try weights(outputs: outputs, missing: missing)
    var starts: [Int] = []
    for root in roots { starts.append(turned(try place(root, in: lowered))) }
    var features = try c.cast(x, to: element)
    if let width = width.constant, order.contains(where: { $0.feature >= width }) {
      features = try c.concat([features, try c.unary(.neg, features)], axis: 1)
    }
    func indices(_ values: [Int], _ shape: [Int], _ name: String) throws(Diagnostic) -> ValueID {
      try c.importer.weight(Tensor(.i32, shape, integers: values), name: name)
    }
    let thresholds = Tensor(element, [count], doubles: order.map(\.threshold))
    let children = order.flatMap { [turned($0.first), turned($0.second)] }
    let result = try c.add(
      TreeEnsemble(function, outputs: outputs),
      features, try indices(order.map(\.feature), [count], "features"),
      try c.importer.weight(thresholds, name: "thresholds"),
      try indices(children, [count, 2], "children"), try indices(starts, [starts.count], "roots"),
      try indices(targets, [targets.count], "targets"), try c.importer.weight(table, name: "leaves"))
    if function == .sum { return result }
    // Outputs that no leaf had are zero.
    let isMissing = try c.compare(.equal, result, try c.number(missing, like: result))
    return try c.select(isMissing, try c.number(0, like: result), result)
  }
}
