/// The cheapest way to split a network in two: Dinic's maximum flow.
///
/// Node 0 is the source, node 1 the sink. Small integers would do, but costs are bytes moved, so sums saturate.
struct MinimumCut {
  static let source = 0
  static let sink = 1
  static let infinite = Int.max / 4

  private var heads: [Int] = []
  private var capacities: [Int] = []
  private var edges: [[Int]] = [[], []]
  private var levels: [Int] = []
  private var cursors: [Int] = []

  mutating func addNode() -> Int {
    edges.append([])
    return edges.count - 1
  }

  /// Cutting costs `capacity` when `from` is on the source's side and `to` on the sink's.
  mutating func connect(_ from: Int, _ to: Int, _ capacity: Int) {
    guard capacity > 0, from != to else { return }
    edges[from].append(heads.count)
    heads.append(to)
    capacities.append(min(capacity, MinimumCut.infinite))
    edges[to].append(heads.count)
    heads.append(from)
    capacities.append(0)
  }

  /// Cuts and says for each node whether it is on the sink's side. Where both sides cost the same, nodes stay with the
  /// source.
  mutating func solve() -> (cost: Int, isOnSinkSide: [Bool]) {
    var cost = 0
    while rank() {
      cursors = Array(repeating: 0, count: edges.count)
      while let flow = augment() { cost = min(cost + flow, MinimumCut.infinite) }
    }
    return (cost, nodesReachingSink())
  }

  /// Distances from the source over what is left; false when the sink is out of reach.
  private mutating func rank() -> Bool {
    levels = Array(repeating: -1, count: edges.count)
    levels[MinimumCut.source] = 0
    var queue = [MinimumCut.source]
    var next = 0
    while next < queue.count {
      let node = queue[next]
      next += 1
      for edge in edges[node] where capacities[edge] > 0 && levels[heads[edge]] < 0 {
        levels[heads[edge]] = levels[node] + 1
        queue.append(heads[edge])
      }
    }
    return levels[MinimumCut.sink] >= 0
  }

  /// One path to the sink, without recursion: graphs may be deep.
  private mutating func augment() -> Int? {
    var path: [Int] = []
    var node = MinimumCut.source
    while node != MinimumCut.sink {
      if cursors[node] < edges[node].count {
        let edge = edges[node][cursors[node]]
        if capacities[edge] > 0, levels[heads[edge]] == levels[node] + 1 {
          path.append(edge)
          node = heads[edge]
        } else {
          cursors[node] += 1
        }
      } else {
        guard let edge = path.popLast() else { return nil }
        node = heads[edge ^ 1]
        cursors[node] += 1
      }
    }
    var flow = MinimumCut.infinite
    for edge in path { flow = min(flow, capacities[edge]) }
    for edge in path {
      capacities[edge] -= flow
      capacities[edge ^ 1] += flow
    }
    return flow
  }

  private func nodesReachingSink() -> [Bool] {
    var result = Array(repeating: false, count: edges.count)
    result[MinimumCut.sink] = true
    var queue = [MinimumCut.sink]
    while let node = queue.popLast() {
      for edge in edges[node] {
        let neighbour = heads[edge]
        // The partner of an edge out of `node` leads into it.
        if capacities[edge ^ 1] > 0, !result[neighbour] {
          result[neighbour] = true
          queue.append(neighbour)
        }
      }
    }
    return result
  }
}
