import Codegen
import IR
import Support
import Targets
import TestSupport
import Testing

extension Seeded {
  /// In -2 ..< 2.
  mutating func double() -> Double { Double(next() >> 11) / 0x1p51 - 2 }

  mutating func integer(in range: ClosedRange<Int>) -> Int {
    let width = UInt64(bitPattern: Int64(range.upperBound &- range.lowerBound))
    if width == .max { return Int(truncatingIfNeeded: next()) }
    return range.lowerBound &+ Int(next() % (width + 1))
  }

  mutating func tensor(_ element: ElementType, _ shape: [Int]) -> Tensor {
    let count = shape.reduce(1, *)
    if element.isFloat { return Tensor(element, shape, doubles: (0..<count).map { _ in double() }) }
    let range = element.integerRange ?? 0...1
    return Tensor(element, shape, integers: (0..<count).map { _ in integer(in: range) })
  }
}

/// How far a result may be from what `evaluate` gives.
enum Closeness {
  case exact
  /// |a - b| <= relative * |b| + absolute.
  case within(relative: Double, absolute: Double)

  static func relative(_ bound: Double) -> Closeness { .within(relative: bound, absolute: 0) }
}

/// Machines with vectors of 128, 256 and 512 bits.
let loweringProfiles = ["aarch64", "x86-64-v3", "x86-64-v4"]

/// Compiles a module made by `build` for several machines, interprets the program, and compares with `evaluate`.
func expectLowering(
  _ name: String, _ types: [TensorType], _ inputs: [Tensor], symbols: [String: ClosedRange<Int>] = [:],
  _ closeness: Closeness = .exact, profiles: [String] = loweringProfiles,
  sourceLocation: SourceLocation = #_sourceLocation,
  _ build: (inout GraphBuilder, [ValueID]) throws -> [ValueID]
) throws {
  let module = try loweringModule(types, symbols: symbols, build)
  let expected = attempt { () throws(Diagnostic) in
    try Evaluator(module).run("main", inputs.map { .tensor($0) }).compactMap(\.tensor)
  }
  for profile in profiles {
    let program = try Scheduler.schedule(module, for: try Profile.named(profile))
    for threads in [1, 3] {
      let interpreter = try ProgramInterpreter(program, threads: threads)
      interpreter.splitsSmallWork = true
      let given = attempt { () throws(Diagnostic) in try interpreter.run("main", inputs) }
      let complaint = difference(given, expected, closeness)
      #expect(complaint == nil, "\(name) on \(profile), \(threads) threads", sourceLocation: sourceLocation)
    }
  }
}

private func attempt(_ body: () throws(Diagnostic) -> [Tensor]) -> Result<[Tensor], Diagnostic> {
  do throws(Diagnostic) { return .success(try body()) } catch { return .failure(error) }
}

/// Failures agree whatever they say.
private func difference(
  _ given: Result<[Tensor], Diagnostic>, _ expected: Result<[Tensor], Diagnostic>, _ closeness: Closeness
) -> String? {
  switch (given, expected) {
  case (.failure(let error), .failure): return error.kind == .invalid ? nil : "\(error)"
  case (.failure(let error), .success): return "\(error)"
  case (.success, .failure(let error)): return "no failure, but evaluate says: \(error)"
  case (.success(let a), .success(let b)):
    for (x, y) in zip(a, b) { if let complaint = difference(x, y, closeness) { return complaint } }
    return a.count == b.count ? nil : "\(a.count) results"
  }
}

func loweringModule(
  _ types: [TensorType], symbols: [String: ClosedRange<Int>] = [:],
  _ build: (inout GraphBuilder, [ValueID]) throws -> [ValueID]
) throws -> Module {
  var module = Module(name: "test")
  for (symbol, range) in symbols.sorted(by: { $0.key < $1.key }) { module.declare(symbol: symbol, in: range) }
  var builder = GraphBuilder(module: module, function: Function(name: "main"))
  let arguments = types.enumerated().map { builder.argument("x\($0.offset)", ValueFact($0.element)) }
  let results = try build(&builder, arguments)
  builder.function.setResults(results.enumerated().map { ("y\($0.offset)", $0.element) })
  return builder.finish()
}

private func difference(_ a: Tensor, _ b: Tensor, _ closeness: Closeness) -> String? {
  if a.shape != b.shape { return "shape \(a.shape), expected \(b.shape)" }
  if a.element != b.element { return "elements \(a.element), expected \(b.element)" }
  guard case .within(let relative, let absolute) = closeness, a.isFloat else {
    if a.bytes == b.bytes { return nil }
    let (x, y) = (a.doubles(), b.doubles())
    for i in x.indices where !(x[i] == y[i] || (x[i].isNaN && y[i].isNaN)) {
      return "element \(i) of \(x.count) is \(x[i]), expected \(y[i])"
    }
    // Equal numbers may still differ in the sign of a zero or in the bits of a NaN.
    return a.isFloat ? nil : "the bytes differ"
  }
  let (x, y) = (a.doubles(), b.doubles())
  for i in x.indices where x[i] != y[i] && !(x[i].isNaN && y[i].isNaN) {
    if !(abs(x[i] - y[i]) <= relative * abs(y[i]) + absolute) {
      return "element \(i) of \(x.count) is \(x[i]), expected \(y[i])"
    }
  }
  return nil
}
