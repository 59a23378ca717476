/// Prints kernels as text that `KernelParser` reads back.
///
///     kernel @axpy(x: read f32[64] align 64, y: update f32[64] align 64) {
///       %0 = const i64 0
///       %1 = const i64 64
///       for %2 = %0 ..< %1 step 16 {
///         %3 = load f32x16 x[%2] align 64
///         %4 = load f32x16 y[%2] align 64
///         %5 = add %3, %4
///         store %5, y[%2] align 64
///       }
///     }
///
/// Values are numbered in the order of the text, except that what a loop or
/// branch results in stands before it and is numbered after it. An alignment is
/// left out where it is that of the buffer's elements, an unknown extent is `*`.
extension Kernel: CustomStringConvertible {
  public var description: String {
    var printer = KernelPrinter(canonical())
    return printer.text()
  }
}

struct KernelPrinter {
  private let kernel: Kernel
  private var output = ""
  private var depth = 1

  init(_ kernel: Kernel) { self.kernel = kernel }

  mutating func text() -> String {
    var parameters = kernel.buffers.map { buffer in
      let extent = buffer.elements.map { String($0) } ?? "*"
      return "\(buffer.name): \(buffer.access.rawValue) \(buffer.scalar.rawValue)[\(extent)] align \(buffer.alignment)"
    }
    parameters += kernel.scalars.map { "\($0.name): index" }
    output = "kernel @\(kernel.name)(" + parameters.joined(separator: ", ") + ") {\n"
    for local in kernel.locals {
      line("local \(local.name): \(local.scalar.rawValue)[\(local.count)] align \(local.alignment)")
    }
    print(kernel.body)
    return output + "}\n"
  }

  private mutating func line(_ text: String) {
    for _ in 0..<depth { output += "  " }
    output += text
    output += "\n"
  }

  private mutating func print(_ statements: [Statement]) {
    for statement in statements { print(statement) }
  }

  private mutating func nested(_ statements: [Statement], _ yields: [LoopValue]) {
    depth += 1
    print(statements)
    if !yields.isEmpty { line("yield " + list(yields)) }
    depth -= 1
  }

  private mutating func print(_ statement: Statement) {
    switch statement {
    case .forLoop(let loop):
      let range = "\(name(loop.induction)) = \(name(loop.lower)) ..< \(name(loop.upper)) step \(loop.step)"
      let carry = loop.carried.isEmpty ? "" : " carry (" + bindings(loop.carried, loop.initial) + ")"
      line(results(loop.results) + "for " + range + carry + " {")
      nested(loop.body, loop.yields)
      line("}")
    case .whileLoop(let loop):
      line(results(loop.results) + "while (" + bindings(loop.carried, loop.initial) + ") {")
      depth += 1
      print(loop.conditionBody)
      line("condition " + name(loop.condition))
      depth -= 1
      line("} do {")
      nested(loop.body, loop.yields)
      line("}")
    case .ifElse(let branch):
      line(results(branch.results) + "if \(name(branch.condition)) {")
      nested(branch.thenBody, branch.thenYields)
      if !branch.elseBody.isEmpty || !branch.elseYields.isEmpty {
        line("} else {")
        nested(branch.elseBody, branch.elseYields)
      }
      line("}")
    default: line(text(of: statement))
    }
  }

  /// A statement of one line; loops and branches show their head.
  func text(of statement: Statement) -> String {
    switch statement {
    case .define(let value, let operation):  // Invalid kernels print too: that is how the verifier shows them.
      let type = kernel.types.indices.contains(value.id) ? kernel[value] : .index
      return "\(name(value)) = " + text(of: operation, type)
    case .store(let value, let address, let mask, let alignment):
      return "store \(name(value)), \(place(address))" + masked(mask) + aligned(alignment, address)
    case .scatter(let value, let address, let indices, let mask):
      return "scatter \(name(value)), \(place(address))[\(name(indices))]" + masked(mask)
    case .prefetch(let address, let write): return (write ? "prefetch_write " : "prefetch ") + place(address)
    case .check(let condition, let status): return "check \(name(condition)) else \(status)"
    case .forLoop(let loop): return "for \(name(loop.induction))"
    case .whileLoop: return "while"
    case .ifElse(let branch): return "if \(name(branch.condition))"
    }
  }

  private func text(of operation: LoopOperation, _ type: LoopType) -> String {
    switch operation {
    case .integer(let value): "const \(type) \(value)"
    case .float(let value): "const \(type) \(KernelPrinter.text(value))"
    case .scalar(let number):
      "scalar " + (kernel.scalars.indices.contains(number) ? kernel.scalars[number].name : "?\(number)")
    case .thread: "thread"
    case .threads: "threads"
    case .unary(let operation, let a): "\(operation.rawValue) \(name(a))"
    case .binary(let operation, let a, let b): "\(operation.rawValue) \(list([a, b]))"
    case .compare(let comparison, let a, let b): "\(comparison.rawValue) \(list([a, b]))"
    case .select(let condition, let a, let b): "select \(list([condition, a, b]))"
    case .fma(let a, let b, let c): "fma \(list([a, b, c]))"
    case .convert(let conversion, let a): "\(conversion.rawValue) \(name(a)) to \(type)"
    case .splat(let a): "splat \(type) \(name(a))"
    case .iota: "iota \(type)"
    case .extract(let a, let lane): "extract \(name(a))[\(lane)]"
    case .insert(let a, let element, let lane): "insert \(name(a))[\(lane)], \(name(element))"
    case .shuffle(let a, let b, let lanes): "shuffle \(list([a, b])) [\(numbers(lanes))]"
    case .reduce(let operation, let a): "reduce \(operation.rawValue) \(name(a))"
    case .load(let address, let mask, let alignment):
      "load \(type) \(place(address))" + masked(mask) + aligned(alignment, address)
    case .gather(let address, let indices, let mask):
      "gather \(type) \(place(address))[\(name(indices))]" + masked(mask)
    case .dot4(let accumulator, let unsigned, let signed): "dot4 \(list([accumulator, unsigned, signed]))"
    }
  }

  /// Shortest digits that read back to the same number; NaN by its bits.
  static func text(_ value: Double) -> String {
    value.isNaN ? "nan(0x" + String(value.bitPattern, radix: 16) + ")" : "\(value)"
  }

  private func numbers(_ lanes: [Int]) -> String { lanes.map { String($0) }.joined(separator: ", ") }
  private func name(_ value: LoopValue) -> String { "%\(value.id)" }
  private func list(_ values: [LoopValue]) -> String { values.map { name($0) }.joined(separator: ", ") }
  private func results(_ values: [LoopValue]) -> String { values.isEmpty ? "" : list(values) + " = " }

  private func bindings(_ carried: [LoopValue], _ initial: [LoopValue]) -> String {
    zip(carried, initial).map { "\(name($0)) = \(name($1))" }.joined(separator: ", ")
  }

  private func masked(_ mask: LoopValue?) -> String { mask.map { " mask " + name($0) } ?? "" }

  private func aligned(_ alignment: Int, _ address: Address) -> String {
    alignment == kernel.scalar(of: address.buffer)?.bytes ? "" : " align \(alignment)"
  }

  private func place(_ address: Address) -> String {
    var inside = address.index.map { name($0) } ?? String(address.offset)
    if address.index != nil && address.offset > 0 { inside += " + \(address.offset)" }
    if address.index != nil && address.offset < 0 { inside += " - \(address.offset.magnitude)" }
    return kernel.name(of: address.buffer) + "[" + inside + "]"
  }
}
