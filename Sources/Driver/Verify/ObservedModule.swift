import IR
import Support

/// A module whose entry also returns the result of every op of its body: what `verify --per-op` compares.
///
/// Nothing can be fused over a value that is returned, so each op is compiled much as it stands.
struct ObservedModule {
  struct Probe {
    /// The op's name in the source model, or its mnemonic.
    var site: String
    var mnemonic: String
    /// What the source model calls the result.
    var name: String?
  }

  private(set) var module: Module
  let entry: String
  /// One for each result after the entry's own.
  private(set) var probes: [Probe] = []

  /// Ops of one compilation; larger models are observed piece by piece.
  static let limit = 4096

  /// With `named`, of the results that the source model has a name for, and a use.
  init(_ original: Module, entry name: String, named: Bool = false) throws(Diagnostic) {
    module = original
    entry = name
    guard let number = original.functions.firstIndex(where: { $0.name == name }) else {
      throw .bug("there is no entry \(name)")
    }
    var function = original.functions[number]
    var results = Array(zip(function.resultNames, function[function.body].yields)).map { (name: $0, value: $1) }
    for id in function.ops(in: function.body) {
      let operation = function[id]
      for value in operation.results {
        guard let type = function.tensorType(value), type.element.storage != nil, type.layout == nil,
          !(operation.kind is Constant), probes.count < ObservedModule.limit,
          !named || (function[value].name != nil && !function[value].uses.isEmpty)
        else { continue }
        results.append((name: "op\(probes.count)", value: value))
        let site = operation.locations.first ?? "\(operation.kind.mnemonic) \(probes.count)"
        probes.append(Probe(site: site, mnemonic: operation.kind.mnemonic, name: function[value].name))
      }
    }
    function.setResults(results)
    module.functions[number] = function
  }
}
