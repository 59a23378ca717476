import IR

/// Ops waiting for another look, each at most once, first come first served.
public struct Worklist: Sendable {
  private var pending: [OpID] = []
  private var head = 0
  private var isQueued: [Bool] = []

  public init(_ ops: [OpID] = []) {
    for op in ops { push(op) }
  }

  public mutating func push(_ op: OpID) {
    if op.number >= isQueued.count {
      isQueued.append(contentsOf: repeatElement(false, count: op.number + 1 - isQueued.count + isQueued.count / 2))
    }
    guard !isQueued[op.number] else { return }
    isQueued[op.number] = true
    pending.append(op)
  }

  public mutating func pop() -> OpID? {
    guard head < pending.count else { return nil }
    let op = pending[head]
    head += 1
    isQueued[op.number] = false
    if head > 1024, head * 2 > pending.count {
      pending.removeFirst(head)
      head = 0
    }
    return op
  }
}
