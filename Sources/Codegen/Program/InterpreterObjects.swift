import IR
import Support

/// Texts and lists of an interpreted run, which stand outside of its memory: there an address is a number of one.
final class InterpreterObjects {
  private var texts: [[UInt8]] = []
  private var lists: [[Value]] = []
  /// The most elements that a run may make.
  private static let limit = 1 << 24

  // MARK: What the caller sees

  /// The memory of an input.
  func memory(of value: Value, at port: Port) -> [UInt8] {
    guard let tensor = value.tensor else { return [UInt8](repeating: 0, count: 32) }
    guard tensor.storage == .string else { return tensor.bytes.bytes }
    return tensor.strings.flatMap { bytes(of: [add($0), $0.count]) }
  }

  /// The value that an output's memory holds.
  func value(of port: Port, _ shape: [Int], _ bytes: [UInt8]) throws(Diagnostic) -> Value {
    guard let type = port.value.tensor else { return InterpreterObjects.value(try list(bytes), as: port.value) }
    guard type.plain == .string else {
      return .tensor(
        try Tensor(element: type.element, shape: shape, layout: type.layout, bytes: ByteView(copying: bytes)))
    }
    let numbers = integers(bytes)
    var found: [[UInt8]] = []
    for place in stride(from: 0, to: numbers.count, by: 2) { found.append(try text(numbers[place])) }
    return .tensor(Tensor(strings: found, shape: shape))
  }

  private static func value(_ members: [Value], as type: ValueType) -> Value {
    guard case .optional(let member) = type else {
      guard case .sequence(let member) = type else { return .sequence(members) }
      return .sequence(members.map { value($0, asMember: member) })
    }
    return .optional(members.first.map { value($0, asMember: member) })
  }

  private static func value(_ given: Value, asMember type: ValueType) -> Value {
    switch given {
    case .tensor: given
    case .sequence(let members): value(members, as: type)
    case .optional(let member): value(member.map { [$0] } ?? [], as: type)
    }
  }

  private static func members(_ value: Value) -> [Value] {
    switch value {
    case .tensor: [value]
    case .sequence(let members): members
    case .optional(let member): member.map { [$0] } ?? []
    }
  }

  // MARK: Memory

  private func add(_ text: [UInt8]) -> Int {
    texts.append(text)
    return texts.count
  }

  private func text(_ address: Int) throws(Diagnostic) -> [UInt8] {
    guard texts.indices.contains(address - 1) else { throw .bug("there is no text at \(address)") }
    return texts[address - 1]
  }

  private func list(_ record: [UInt8]) throws(Diagnostic) -> [Value] {
    let number = integers(Array(record.prefix(8)))[0] - 1
    guard lists.indices.contains(number) else { throw .bug("there is no list") }
    return lists[number]
  }

  private func record(_ members: [Value]) -> [UInt8] {
    lists.append(members)
    return bytes(of: [lists.count, members.count, 0, 0])
  }

  private func integers(_ bytes: [UInt8]) -> [Int] {
    stride(from: 0, to: bytes.count - bytes.count % 8, by: 8).map { start in
      (0..<8).reduce(0) { $0 | Int(bytes[start + $1]) << (8 * $1) }
    }
  }

  private func bytes(of integers: [Int]) -> [UInt8] {
    integers.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
  }

  private func strings(_ buffer: [UInt8], _ count: Int) throws(Diagnostic) -> [[UInt8]] {
    var result: [[UInt8]] = []
    for address in integers(Array(buffer.prefix(8 * count))) { result.append(try text(address)) }
    return result
  }

  private func addresses(_ texts: [[UInt8]]) -> [UInt8] { bytes(of: texts.map(add)) }

  /// A tensor of the program, described by its type's number, its rank and its extents.
  private func member(_ buffer: [UInt8], _ s: ArraySlice<Int>, type: Int) throws(Diagnostic) -> Value {
    if type == 0 { return .sequence(try list(buffer)) }
    guard ElementType.allCases.indices.contains(type - 1) else { throw .bug("there is no type \(type)") }
    let element = ElementType.allCases[type - 1]
    let shape = Array(s.dropFirst().prefix(s.first ?? 0))
    let count = shape.reduce(1, *)
    if element == .string { return .tensor(Tensor(strings: try strings(buffer, count), shape: shape)) }
    let content = Array(buffer.prefix(element.bytes(for: count) ?? 0))
    return .tensor(try Tensor(element: .plain(element), shape: shape, bytes: ByteView(copying: content)))
  }

  private func elements(_ tensor: Tensor) -> [UInt8] {
    tensor.storage == .string ? addresses(tensor.strings) : tensor.bytes.bytes
  }

  private func evaluate(_ kind: any OpKind, _ inputs: [Value], _ result: ValueType) throws(Diagnostic) -> [Value] {
    try Evaluator(Module(name: "")).evaluate(kind, inputs, results: [result])
  }

  private func entries(of table: [UInt8], _ count: Int) -> [[UInt8]] {
    let offsets = integers(Array(table.prefix(8 * (count + 1))))
    return (0..<count).map { Array(table[offsets[$0]..<offsets[$0 + 1]]) }
  }

  // MARK: Functions

  func perform(
    _ function: RuntimeFunction, _ b: inout [[UInt8]], _ s: [Int], _ inputs: [Value]
  ) throws(Diagnostic) {
    guard s.allSatisfy({ $0 <= InterpreterObjects.limit }) else { throw .invalid("too many texts to interpret") }
    let last = b.count - 1
    switch function {
    case .stringImport:
      let records = integers(b[0])
      b[1] = bytes(of: (0..<s[0]).map { records[2 * $0] })
    case .stringExport:
      let all = try strings(b[0], s[0])
      let given = integers(b[0])
      b[1] = bytes(of: all.indices.flatMap { [given[$0], all[$0].count] })
    case .stringTable: b[1] = addresses(entries(of: b[0], s[0]))
    case .stringEqual, .stringConcat:
      let walk = function == .stringEqual ? Array(s.dropFirst()) : s
      let rank = walk[0]
      let shape = Array(walk[1..<(1 + rank)])
      let x = stridedPositions(shape, strides: Array(walk[(1 + rank)..<(1 + 2 * rank)]))
      let y = stridedPositions(shape, strides: Array(walk[(1 + 2 * rank)...]))
      let left = try strings(b[0], b[0].count / 8)
      let right = try strings(b[1], b[1].count / 8)
      if function == .stringConcat {
        b[2] = addresses(x.indices.map { left[x[$0]] + right[y[$0]] })
      } else {
        b[2] = x.indices.map { (left[x[$0]] == right[y[$0]]) == (s[0] != 0) ? 1 : 0 }
      }
    case .stringCase:
      // The table knows nothing but lower case of upper case, or the reverse.
      let lowers = TextTable.cases(StringCase(to: .lower)).bytes == Array(b[1].prefix(16 * s[1]))
      let given = Tensor(strings: try strings(b[0], s[0]), shape: [s[0]])
      let result = try evaluate(StringCase(to: lowers ? .lower : .upper), [.tensor(given)], .tensor(given.type))
      b[2] = addresses(try result[0].expectTensor().strings)
    case .stringFind:
      let keys = entries(of: b[1], s[1])
      let numbers = Array(integers(b[1])[(s[1] + 1)..<(2 * s[1] + 1)])
      b[2] = bytes(
        of: try strings(b[0], s[0]).map { text in keys.firstIndex(of: text).map { numbers[$0] } ?? s[2] })
    case .stringMatch:
      let table = MatchTable(b[1])
      b[2] = try strings(b[0], s[0]).map { table.accepts($0) ? 1 : 0 }
    case .stringCount, .stringSplit:
      let delimiter = String(decoding: b[1].prefix(s[1]), as: UTF8.self)
      let given = Tensor(strings: try strings(b[0], s[0]), shape: [s[0]])
      let kind = StringSplit(delimiter: delimiter, limit: s[2], extent: "s")
      let results = try evaluate(kind, [.tensor(given)], .tensor(given.type))
      let pieces = try results[0].expectTensor()
      if function == .stringSplit {
        b[2] = addresses(pieces.strings)
      } else {
        b[2] = elements(try results[1].expectTensor())
        b[3] = bytes(of: [pieces.shape[1]])
      }
    case .listImport: b[0] = record(InterpreterObjects.members(inputs[s[0]]))
    case .listMake:
      var members: [Value] = []
      var at = 2
      for number in 0..<s[0] {
        members.append(try member(b[number], s[at...], type: s[1]))
        at += 1 + s[at]
      }
      b[last] = record(members)
    case .listInsert:
      let value = try member(b[1], s[2...], type: s[1])
      let operands: [Value] =
        [.sequence(try list(b[0])), value] + (s[0] != 0 ? [.tensor(.scalar(integers(b[2])[0]))] : [])
      b[last] = record(
        InterpreterObjects.members(try evaluate(SequenceInsert(), operands, .tensor(.i64, []))[0]))
    case .listErase:
      let operands: [Value] = [.sequence(try list(b[0]))] + (s[0] != 0 ? [.tensor(.scalar(integers(b[1])[0]))] : [])
      b[last] = record(
        InterpreterObjects.members(try evaluate(SequenceErase(), operands, .tensor(.i64, []))[0]))
    case .listLength:
      let count = try list(b[0]).count
      b[1] = s[0] != 0 ? [count > 0 ? 1 : 0] : bytes(of: [count])
    case .listExtents:
      let tensor = try found(b, hasIndex: s[0] != 0).expectTensor()
      guard tensor.shape.count == s[1] else {
        throw .invalid("a member of rank \(tensor.shape.count), expected \(s[1])")
      }
      b[last] = bytes(of: tensor.shape) + Array(b[last].dropFirst(8 * s[1]))
    case .listRead: b[last] = elements(try found(b, hasIndex: s[0] != 0).expectTensor())
    case .listTake: b[last] = record(InterpreterObjects.members(try found(b, hasIndex: s[0] != 0)))
    case .listJoinedExtents, .listJoin:
      let kind = SequenceJoin(axis: s[0], stack: s[1] != 0, shape: Array(repeating: 0, count: s[2]))
      let joined = try evaluate(kind, [.sequence(try list(b[0]))], .tensor(.i64, []))[0].expectTensor()
      b[1] = function == .listJoin ? elements(joined) : bytes(of: joined.shape) + Array(b[1].dropFirst(8 * s[2]))
    case .listSplit:
      var operands = [try member(b[0], s[5...], type: s[4])]
      if s[0] >= 0 {
        operands.append(.tensor(Tensor(.i64, s[1] != 0 ? [] : [s[0]], integers: Array(integers(b[1]).prefix(s[0])))))
      }
      let kind = SequenceSplit(axis: s[3], keep: s[2] != 0, member: .anyTensor(.f32))
      b[last] = record(
        InterpreterObjects.members(try evaluate(kind, operands, .sequence(.anyTensor(.f32)))[0]))
    }
  }

  private func found(_ b: [[UInt8]], hasIndex: Bool) throws(Diagnostic) -> Value {
    let members = try list(b[0])
    let index = hasIndex ? integers(b[1])[0] : 0
    guard index >= -members.count, index < members.count else {
      throw .invalid(hasIndex ? "index \(index) out of range for extent \(members.count)" : "the value is absent")
    }
    return members[index < 0 ? index + members.count : index]
  }
}
