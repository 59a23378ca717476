import CommandLineKit
import IR
import Passes
import Support

/// When results count as right: what `bisect` and `reduce` ask of a graph and of its code.
struct ResultCheck {
  var rtol: Double
  /// Nil: as results are usually compared.
  var atol: Double?

  init(_ arguments: Arguments) {
    rtol = arguments[RunKeys.rtol] ?? 1e-4
    atol = arguments[RunKeys.atol]
  }

  func isRight(_ results: [Value], _ expected: [Value]) -> Bool {
    zip(results, expected).allSatisfy { result, wanted in
      guard let a = result.tensor, let b = wanted.tensor else { return result == wanted }
      return Comparison(a, b, rtol: rtol, atol: atol).isOK
    }
  }

  /// What passes make of a module, with limited fuel.
  static func optimised(_ module: Module, _ options: CompileOptions, fuel: Int?) throws(Diagnostic)
    -> (Module, PassReport)
  {
    var copy = module
    var manager = PassManager()
    manager.fuel = fuel
    manager.verifiesEach = options.verifiesEachPass
    let report = try manager.run(Pipeline.passes(from: options.from, to: .fused), on: &copy)
    return (copy, report)
  }
}
