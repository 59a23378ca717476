import Support

/// The tables of trees, checked: every index is one that there is, and every walk ends.
public struct TreeEnsembleTables {
  public let features: [Int]
  let thresholds: [Double]
  let children: [Int]
  public let roots: [Int]
  let targets: [Int]
  let weights: [Double]
  public let width: Int

  /// `inputs` are the op's operands, of which the first is not looked at.
  public init(_ inputs: [Value], outputs: Int) throws(Diagnostic) {
    features = try inputs[1].expectTensor().integers()
    thresholds = try inputs[2].expectTensor().doubles()
    children = try inputs[3].expectTensor().integers()
    roots = try inputs[4].expectTensor().integers()
    targets = try inputs[5].expectTensor().integers()
    let table = try inputs[6].expectTensor()
    weights = table.doubles()
    width = table.shape[1]
    let (nodes, leaves) = (features.count, table.shape[0])
    guard thresholds.count == nodes, children.count == 2 * nodes, targets.count == roots.count else {
      throw .invalid("trees: the tables differ in length")
    }
    for feature in features where feature < 0 { throw .invalid("trees: there is no feature \(feature)") }
    for (place, child) in children.enumerated()
    where child >= nodes || child < -leaves || (child >= 0 && child <= place / 2) {
      throw .invalid("trees: node \(place / 2) has child \(child), which is none")
    }
    for root in roots where root >= nodes || root < -leaves { throw .invalid("trees: there is no root \(root)") }
    for target in targets where target < 0 || target > outputs - width {
      throw .invalid("trees: target \(target) is not among \(outputs)")
    }
  }

  func leaf(from root: Int, _ value: (Int) throws(Diagnostic) -> Double) throws(Diagnostic) -> Int {
    var node = root
    while node >= 0 { node = children[2 * node + (try value(features[node]) <= thresholds[node] ? 0 : 1)] }
    return -1 - node
  }
}
