import Formats
import IR
import Support

extension ONNXMapping {
  private static let nodeAttributes = [
    "base_values", "base_values_as_tensor", "nodes_falsenodeids", "nodes_featureids", "nodes_hitrates",
    "nodes_hitrates_as_tensor", "nodes_missing_value_tracks_true", "nodes_modes", "nodes_nodeids", "nodes_treeids",
    "nodes_truenodeids", "nodes_values", "nodes_values_as_tensor", "post_transform",
  ]

  static let treeRegressor = ONNXMapping(
    ["TreeEnsembleRegressor"], 1...newest, inputs: 1...1,
    attributes: nodeAttributes + [
      "aggregate_function", "n_targets", "target_ids", "target_nodeids", "target_treeids", "target_weights",
      "target_weights_as_tensor",
    ], domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    guard let outputs = try c.int("n_targets"), outputs > 0 else { throw .invalid("n_targets is missing") }
    let tables = try c.trees("target")
    let names = ["AVERAGE", "SUM", "MIN", "MAX"]
    let name = try c.string("aggregate_function", default: "SUM")
    guard let function = names.firstIndex(of: name) else { throw .invalid("aggregate_function is \"\(name)\"") }
    var result = try c.aggregated(tables, try c.treeInput(), outputs: outputs, function)
    if let base = try c.numbers("base_values"), base.count > 0 {
      guard base.count == outputs else { throw .invalid("there are \(base.count) base_values for \(outputs) outputs") }
      // Only what some leaf is for has one; that is all of them, but for odd models.
      result = try c.binary(.add, result, try c.cast(try c.constant(base), to: tables.element))
    }
    let scores = try c.cast(result, to: .f32)
    let transform = try c.string("post_transform", default: "NONE")
    return [outputs == 1 && transform != "PROBIT" ? scores : try c.transformed(scores, transform)]
  }

  static let treeClassifier = ONNXMapping(
    ["TreeEnsembleClassifier"], 1...newest, inputs: 1...1,
    attributes: nodeAttributes + [
      "class_ids", "class_nodeids", "class_treeids", "class_weights", "class_weights_as_tensor", "classlabels_int64s",
      "classlabels_strings",
    ], domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    let labels = try c.classLabels("classlabels_int64s")
    let tables = try c.trees("class")
    let transform = try c.string("post_transform", default: "NONE")
    let base = try c.numbers("base_values")?.doubles() ?? []
    let sums = try c.aggregated(tables, try c.treeInput(), outputs: labels.count, 1)
    if labels.count == 2 { return try c.oneOfTwo(sums, tables, labels, base, transform) }
    var scores = try c.cast(sums, to: .f32)
    if !base.isEmpty {
      guard base.count == labels.count else {
        throw .invalid("there are \(base.count) base_values for \(labels.count) classes")
      }
      scores = try c.binary(.add, scores, try c.constant(Tensor(.f32, [base.count], doubles: base)))
    }
    let place = try c.greatest(scores)
    if labels.count > 1 || transform == "PROBIT" { scores = try c.transformed(scores, transform) }
    return [try c.labels(labels, at: place), scores]
  }

  static let treeEnsemble = ONNXMapping(
    ["TreeEnsemble"], 5...newest, inputs: 1...1,
    attributes: [
      "aggregate_function", "leaf_targetids", "leaf_weights", "membership_values", "n_targets", "nodes_falseleafs",
      "nodes_falsenodeids", "nodes_featureids", "nodes_hitrates", "nodes_missing_value_tracks_true", "nodes_modes",
      "nodes_splits", "nodes_trueleafs", "nodes_truenodeids", "post_transform", "tree_roots",
    ], domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    let outputs = try c.int("n_targets", default: 1)
    guard outputs > 0 else { throw .invalid("n_targets is \(outputs)") }
    let (function, number) = (try c.int("aggregate_function", default: 1), try c.int("post_transform", default: 0))
    let transforms = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"]
    guard (0...3).contains(function), transforms.indices.contains(number) else {
      throw .invalid("aggregate_function is \(function) and post_transform \(number)")
    }
    let x = try c.input(0)
    let element = try c.element(x)
    let tables = try c.compactTrees(element == .f64 ? .f64 : .f32)
    let scores = try c.aggregated(tables, x, outputs: outputs, function)
    let isPlain = outputs == 1 && number != 4
    return [try c.cast(isPlain ? scores : try c.transformed(scores, transforms[number]), to: element)]
  }
}

extension ONNXNodeContext {
  fileprivate func treeInput() throws(Diagnostic) -> ValueID {
    let x = try input(0)
    let shape = try shape(x)
    guard shape.count == 1 || shape.count == 2 else { throw .invalid("the features are \(try type(x))") }
    return try reshape(x, shape.count == 1 ? [1] + shape : shape)
  }

  /// Numbers as a list of floats or as a tensor.
  fileprivate func numbers(_ name: String) throws(Diagnostic) -> Tensor? {
    if let tensor = try tensorAttribute(name + "_as_tensor") { return tensor.reshaped([tensor.count]) }
    return try keys(name, floats: true)
  }

  private func keys(_ name: String, floats: Bool) throws(Diagnostic) -> Tensor? {
    try self.floats(name).map { Tensor(.f32, [$0.count], doubles: $0.map { Double($0) }) }
  }

  /// `function` is one of average, sum, least and greatest.
  fileprivate func aggregated(
    _ tables: TreeTables, _ x: ValueID, outputs: Int, _ function: Int
  ) throws(Diagnostic) -> ValueID {
    guard try rank(x) == 2 else { throw .invalid("the features are \(try type(x)), expected a matrix") }
    let functions: [TreeEnsemble.Function] = [.sum, .sum, .min, .max]
    let result = try tables.add(self, x, outputs: outputs, functions[function])
    guard function == 0 else { return result }
    return try binary(.div, result, try number(Double(max(tables.roots.count, 1)), like: result))
  }

  /// Nodes and leaves in one list, with what leaves say in another, which refers to them.
  fileprivate func trees(_ prefix: String) throws(Diagnostic) -> TreeTables {
    guard let trees = try ints("nodes_treeids"), let ids = try ints("nodes_nodeids"),
      let modes = try byteStrings("nodes_modes"), let features = try ints("nodes_featureids"),
      let yes = try ints("nodes_truenodeids"), let no = try ints("nodes_falsenodeids"),
      let values = try numbers("nodes_values")?.doubles()
    else { throw .invalid("an attribute of the nodes is missing") }
    let count = trees.count
    for list in [ids.count, modes.count, features.count, yes.count, no.count, values.count] where list != count {
      throw .invalid("the attributes of the nodes differ in length")
    }
    let missing = try ints("nodes_missing_value_tracks_true") ?? []
    var places: [[Int]: Int] = [:]
    for number in 0..<count {
      guard places.updateValue(number, forKey: [trees[number], ids[number]]) == nil else {
        throw .invalid("tree \(trees[number]) has two nodes \(ids[number])")
      }
    }
    var tables = TreeTables(try element(try input(0)) == .f64 ? .f64 : .f32)
    let names = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "LEAF"]
    var kinds: [Int] = []
    for mode in modes {
      guard let kind = names.firstIndex(of: String(decoding: mode, as: UTF8.self)) else {
        throw .invalid("a node's mode is \"\(String(decoding: mode, as: UTF8.self))\"")
      }
      kinds.append(kind)
    }
    // Numbers among the nodes that decide, or among the leaves.
    var children: [TreeTables.Child] = []
    var (nodes, leaves) = (0, 0)
    for kind in kinds {
      children.append(kind == 6 ? .leaf(leaves) : .node(nodes))
      if kind == 6 { leaves += 1 } else { nodes += 1 }
    }
    var isChild = Array(repeating: false, count: count)
    for number in 0..<count where kinds[number] != 6 {
      guard let first = places[[trees[number], yes[number]]], let second = places[[trees[number], no[number]]],
        let mode = TreeTables.Mode(rawValue: kinds[number])
      else { throw .invalid("node \(ids[number]) of tree \(trees[number]) has a child that does not exist") }
      (isChild[first], isChild[second]) = (true, true)
      tables.nodes.append(
        TreeTables.Node(
          feature: features[number], value: values[number], mode: mode, yes: children[first], no: children[second],
          missingIsYes: number < missing.count && missing[number] != 0))
    }
    var known: Set<Int> = []
    for number in 0..<count where !isChild[number] && known.insert(trees[number]).inserted {
      tables.roots.append(children[number])
    }
    guard known.count == Set(trees).count else { throw .invalid("a tree has no root") }
    tables.leaves = Array(repeating: [], count: leaves)
    guard let ofTrees = try ints(prefix + "_treeids"), let ofNodes = try ints(prefix + "_nodeids"),
      let targets = try ints(prefix + "_ids"), let weights = try numbers(prefix + "_weights")?.doubles(),
      ofTrees.count == ofNodes.count, ofTrees.count == targets.count, ofTrees.count == weights.count
    else { throw .invalid("an attribute of the leaves is missing, or they differ in length") }
    for number in ofTrees.indices {
      guard let place = places[[ofTrees[number], ofNodes[number]]] else {
        throw .invalid("tree \(ofTrees[number]) has no node \(ofNodes[number])")
      }
      // What a node that decides says is never heard.
      if case .leaf(let leaf) = children[place] { tables.leaves[leaf].append((targets[number], weights[number])) }
    }
    return tables
  }

  /// Nodes that decide and leaves in lists of their own.
  fileprivate func compactTrees(_ element: ElementType) throws(Diagnostic) -> TreeTables {
    guard let roots = try ints("tree_roots"), let features = try ints("nodes_featureids"),
      let yes = try ints("nodes_truenodeids"), let no = try ints("nodes_falsenodeids"),
      let yesLeaves = try ints("nodes_trueleafs"), let noLeaves = try ints("nodes_falseleafs"),
      let modes = try tensorAttribute("nodes_modes")?.integers(),
      let splits = try tensorAttribute("nodes_splits")?.doubles(), let targets = try ints("leaf_targetids"),
      let weights = try tensorAttribute("leaf_weights")?.doubles(), targets.count == weights.count
    else { throw .invalid("an attribute of the trees is missing") }
    let count = features.count
    for list in [yes.count, no.count, yesLeaves.count, noLeaves.count, modes.count, splits.count] where list != count {
      throw .invalid("the attributes of the nodes differ in length")
    }
    let missing = try ints("nodes_missing_value_tracks_true") ?? []
    var members = (try tensorAttribute("membership_values")?.doubles() ?? [])[...]
    func child(_ number: Int, isLeaf: Int) throws(Diagnostic) -> TreeTables.Child {
      guard number >= 0, number < (isLeaf != 0 ? targets.count : count) else {
        throw .invalid("a node has child \(number), which does not exist")
      }
      return isLeaf != 0 ? .leaf(number) : .node(number)
    }
    var tables = TreeTables(element)
    for number in 0..<count {
      guard let mode = TreeTables.Mode(rawValue: modes[number]) else {
        throw .invalid("the mode of node \(number) is \(modes[number])")
      }
      var own: [Double] = []
      if mode == .member {
        // A list for each such node, which NaN ends.
        own = Array(members.prefix { !$0.isNaN })
        members = members.dropFirst(own.count + 1)
      }
      tables.nodes.append(
        TreeTables.Node(
          feature: features[number], value: splits[number], mode: mode, members: own,
          yes: try child(yes[number], isLeaf: yesLeaves[number]), no: try child(no[number], isLeaf: noLeaves[number]),
          missingIsYes: number < missing.count && missing[number] != 0))
    }
    for root in roots {
      guard root >= 0, root < count else { throw .invalid("there is no root \(root)") }
      // A tree that is a leaf is written as a node whose children are that leaf.
      tables.roots.append(.node(root))
    }
    tables.leaves = zip(targets, weights).map { [($0, $1)] }
    return tables
  }

  /// Label and scores where there are two classes: usually all weights are of one of them, and its score decides.
  fileprivate func oneOfTwo(
    _ sums: ValueID, _ tables: TreeTables, _ labels: Tensor, _ base: [Double], _ transform: String
  ) throws(Diagnostic) -> [ValueID] {
    let votes = tables.leaves.joined()
    let classes = Set(votes.map(\.target))
    let scores = try cast(sums, to: .f32)
    let rows = try shape(scores)[0]
    let zero = try scalar(0.0, .f32)
    let isWhole = tables.leaves.allSatisfy { Set($0.map(\.target)).count == 2 }
    guard classes.count == 1 || isWhole else {
      throw .unsupported("trees whose leaves are for one of two classes, but not all for the same, are not supported")
    }
    func label(_ isSecond: ValueID) throws(Diagnostic) -> ValueID {
      try self.labels(labels, at: try reshape(try cast(isSecond, to: .i64), [rows]))
    }
    if classes == [0] {
      guard base.count <= 1 else { throw .unsupported("two base_values for one score are not supported") }
      var score = try slice(scores, axis: 1, start: 0, size: 1)
      if let offset = base.first { score = try binary(.add, score, try scalar(offset, .f32)) }
      let isChance = votes.allSatisfy { $0.weight >= 0 }
      let isSecond = try compare(.greater, score, isChance ? try scalar(0.5, .f32) : zero)
      let opposite = try unary(.neg, score)
      switch transform {
      case "PROBIT": throw .unsupported("post_transform PROBIT of two classes is not supported")
      case "LOGISTIC":
        return [try label(isSecond), try unary(.sigmoid, try concat([opposite, score], axis: 1))]
      default:
        let other = isChance ? try binary(.sub, try scalar(1.0, .f32), score) : opposite
        return [try label(isSecond), try concat([other, score], axis: 1)]
      }
    }
    guard base.isEmpty else { throw .unsupported("base_values of two classes are not supported") }
    let second = try slice(scores, axis: 1, start: 1, size: 1)
    let isChance = classes.count == 1 && votes.allSatisfy { $0.weight >= 0 }
    let isSecond = try compare(.greater, second, isChance ? try scalar(0.5, .f32) : zero)
    return [try label(isSecond), try transformed(scores, transform)]
  }
}
