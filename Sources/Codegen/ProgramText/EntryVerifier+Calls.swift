import IR
import Support

/// Calls of the runtime: how many arguments a function takes and how large its buffers are.
extension EntryVerifier {
  mutating func verify(_ call: RuntimeCall) throws(Diagnostic) {
    for dim in call.scalars {
      try verifyGiven(dim)
      try verifyDivisors(dim)
    }
    let shape = try CallShape(call).unwrapped(fail)
    guard call.buffers.count == shape.buffers.count else {
      throw fail("\(call.function.rawValue) takes \(shape.buffers.count) buffers here, not \(call.buffers.count)")
    }
    for (use, expected) in zip(call.buffers, shape.buffers) {
      guard use.access == expected.access else {
        throw fail("\(call.function.rawValue) does not \(use.access.rawValue) %\(use.buffer.number)")
      }
      try verifyDivisors(expected.bytes)
      if use.access == .read { try read(use.buffer, expected.bytes) } else { try write(use.buffer, expected.bytes) }
    }
    for (number, use) in call.buffers.enumerated() where use.access != .read {
      for (other, reader) in call.buffers.enumerated() where other != number && isSame(use.buffer, reader.buffer) {
        guard entry.buffers[use.buffer.number].bytes != 0, entry.buffers[reader.buffer.number].bytes != 0 else {
          continue
        }
        throw fail("%\(use.buffer.number) and %\(reader.buffer.number) are one memory, and one is written")
      }
    }
    if call.function == .listImport {
      guard let number = call.scalars[0].constant, entry.inputs.indices.contains(number),
        entry.inputs[number].value.member != nil
      else { throw fail("input \(call.scalars[0]) is no list") }
    }
  }
}

/// The arguments that a call must have. Integers that say how many buffers there are must be constants.
private struct CallShape {
  struct Expected {
    var access: Access
    var bytes: Dim
  }
  private(set) var buffers: [Expected] = []
  private var isRight = true

  func unwrapped(_ fail: (String) -> Diagnostic) throws(Diagnostic) -> CallShape {
    guard isRight else { throw fail("the integers of the call do not fit its function") }
    return self
  }

  init(_ call: RuntimeCall) {
    let s = call.scalars
    func read(_ bytes: Dim) -> Expected { Expected(access: .read, bytes: bytes) }
    func write(_ bytes: Dim) -> Expected { Expected(access: .write, bytes: bytes) }
    let list: Dim = 32
    // Every function has at least one integer.
    guard !s.isEmpty else {
      isRight = false
      return
    }
    switch call.function {
    case .stringImport where s.count == 1: buffers = [read(16 * s[0]), write(8 * s[0])]
    case .stringExport where s.count == 1: buffers = [read(8 * s[0]), write(16 * s[0])]
    case .stringTable where s.count == 1: buffers = [read(8 * s[0] + 8), write(8 * s[0])]
    case .stringEqual: walk(Array(s.dropFirst()), result: 1)
    case .stringConcat: walk(s, result: 8)
    case .stringCase where s.count == 2: buffers = [read(8 * s[0]), read(16 * s[1]), write(8 * s[0])]
    case .stringFind where s.count == 3: buffers = [read(8 * s[0]), read(16 * s[1] + 8), write(8 * s[0])]
    case .stringMatch where s.count == 2: buffers = [read(8 * s[0]), read(264 + 4 * s[1]), write(s[0])]
    case .stringCount where s.count == 3: buffers = [read(8 * s[0]), read(s[1]), write(8 * s[0]), write(8)]
    case .stringSplit where s.count == 4: buffers = [read(8 * s[0]), read(s[1]), write(8 * s[0] * s[3])]
    case .listImport where s.count == 1: buffers = [write(list)]
    case .listMake:
      var at = 2
      for _ in 0..<(s[0].constant ?? 0) {
        guard let bytes = member(s, type: 1, rank: at) else { break }
        buffers.append(read(bytes))
        at += 1 + (s[at].constant ?? 0)
      }
      buffers.append(write(list))
      isRight = at == s.count && buffers.count - 1 == s[0].constant
    case .listInsert where s.count >= 3:
      buffers = [read(list), read(member(s, type: 1, rank: 2) ?? 0)]
      index(s[0])
      buffers.append(write(list))
      isRight = isRight && s[2].constant == s.count - 3
    case .listErase where s.count == 1:
      buffers = [read(list)]
      index(s[0])
      buffers.append(write(list))
    case .listLength where s.count == 1: buffers = [read(list), write(s[0] == 0 ? 8 : 1)]
    case .listExtents where s.count == 2:
      buffers = [read(list)]
      index(s[0])
      buffers.append(write(8 * s[1]))
    case .listRead where s.count == 1, .listTake where s.count == 1:
      buffers = [read(list)]
      index(s[0])
      buffers.append(write(call.function == .listTake ? list : 0))
    case .listJoinedExtents where s.count == 3: buffers = [read(list), write(8 * s[2])]
    case .listJoin where s.count == 3: buffers = [read(list), write(0)]
    case .listSplit where s.count >= 6:
      guard let rank = s[5].constant, rank == s.count - 6, let axis = s[3].constant, (0..<rank).contains(axis),
        let bytes = member(s, type: 4, rank: 5)
      else {
        isRight = false
        return
      }
      buffers = [read(bytes)]
      if s[0].constant.map({ $0 >= 0 }) ?? true { buffers.append(read(8 * s[0])) }
      buffers.append(write(list))
    default: isRight = false
    }
  }

  /// Whether there is an index among the buffers.
  private mutating func index(_ has: Dim) {
    if has == 1 { buffers.append(Expected(access: .read, bytes: 8)) } else { isRight = isRight && has == 0 }
  }

  /// Bytes of a value in the program; nil where the integers describe none.
  private func member(_ s: [Dim], type: Int, rank: Int) -> Dim? {
    guard s.indices.contains(rank), let number = s[type].constant, let axes = s[rank].constant, axes >= 0,
      axes <= 16, rank + axes < s.count
    else { return nil }
    if number == 0 { return 32 }
    guard ElementType.allCases.indices.contains(number - 1) else { return nil }
    let count = s[(rank + 1)..<(rank + 1 + axes)].reduce(Dim(1), *)
    return (count * ElementType.allCases[number - 1].bits).ceilDivided(by: 8)
  }

  /// Two operands, of which nothing but the steps tells how large they are, and a result.
  private mutating func walk(_ s: [Dim], result: Int) {
    guard let rank = s.first?.constant, (0...16).contains(rank), s.count == 1 + 3 * rank else {
      isRight = false
      return
    }
    func span(_ steps: ArraySlice<Dim>) -> Dim {
      zip(s[1...rank], steps).reduce(Dim(1)) { $0 + ($1.0 - 1) * $1.1 }
    }
    let count = rank == 0 ? Dim(1) : s[1...rank].reduce(Dim(1), *)
    let a = rank == 0 ? Dim(1) : span(s[(1 + rank)..<(1 + 2 * rank)])
    let b = rank == 0 ? Dim(1) : span(s[(1 + 2 * rank)...])
    let isEmpty = count == 0
    buffers = [
      Expected(access: .read, bytes: isEmpty ? 0 : a * 8), Expected(access: .read, bytes: isEmpty ? 0 : b * 8),
      Expected(access: .write, bytes: count * result),
    ]
  }
}
