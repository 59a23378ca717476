import Codegen
import IR
import Support
import Targets
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
  var expected: [Value]?
  var failure: Diagnostic?
  do { expected = try Evaluator(module).run("main", inputs.map { .tensor($0) }) } catch let error as Diagnostic {
    failure = error
  }
  for profile in profiles {
    let program = try Scheduler.schedule(module, for: try Profile.named(profile))
    for threads in [1, 3] {
      let interpreter = try ProgramInterpreter(program, threads: threads)
      interpreter.splitsSmallWork = true
      if let failure {
        #expect(throws: Diagnostic.self, "\(name): evaluate fails with \(failure)", sourceLocation: sourceLocation) {
          _ = try interpreter.run("main", inputs)
        }
        continue
      }
      let results: [Tensor]
      do { results = try interpreter.run("main", inputs) } catch {
        Issue.record("\(name) on \(profile): \(error)", sourceLocation: sourceLocation)
        continue
      }
      for (result, value) in zip(results, expected ?? []) {
        guard let wanted = value.tensor else { continue }
        let complaint = difference(result, wanted, closeness)
        #expect(complaint == nil, "\(name) on \(profile), \(threads) threads", sourceLocation: sourceLocation)
      }
    }
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
