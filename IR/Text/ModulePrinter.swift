import Support

/// Writes a module as `.mir`.
///
/// The same module gives the same text in every process: values are numbered in the order they appear.
public struct ModulePrinter {
  private let module: Module
  /// Weights of at most so many bytes are written with their elements; larger ones by name alone.
  private let inlineLimit: Int

  public init(_ module: Module, inlineLimit: Int = 256) {
    self.module = module
    self.inlineLimit = inlineLimit
  }

  /// The weights that `text` only names: the caller puts them into a container beside it.
  public var externalWeights: [Weight] { module.weights.filter { !isInline($0) } }

  /// Strings have no container form and are always written out.
  private func isInline(_ weight: Weight) -> Bool {
    weight.tensor.storage == .string || weight.tensor.bytes.count <= inlineLimit
  }

  public var text: String {
    var lines = ["module @\(MIRName.sigiled(module.name)) {"]
    for symbol in module.symbols {
      lines.append("  symbol \(MIRName.symbol(symbol.name)) in \(symbol.range.lowerBound)...\(symbol.range.upperBound)")
    }
    for (name, parameters) in module.quantizations { lines.append("  " + declaration(name, parameters)) }
    for weight in module.weights { lines.append("  " + declaration(weight)) }
    for state in module.states {
      let initial = state.initial.map { "@" + MIRName.sigiled($0) } ?? "zeros"
      lines.append("  state @\(MIRName.sigiled(state.name)) : \(state.type) = \(initial)")
    }
    for function in module.functions {
      if lines.count > 1 { lines.append("") }
      var printer = FunctionPrinter(function)
      printer.printFunction()
      lines += printer.lines
    }
    lines.append("}")
    return lines.joined(separator: "\n") + "\n"
  }

  private func declaration(_ name: String, _ parameters: QuantizationParameters) -> String {
    let scales = parameters.scales.map { NumberText.text($0) }.joined(separator: ", ")
    let zeroPoints = parameters.zeroPoints.map(\.description).joined(separator: ", ")
    let axis = parameters.axis.map { ", axis = \($0)" } ?? ""
    return "quantization !\(MIRName.sigiled(name)) = {scales = [\(scales)], zero_points = [\(zeroPoints)]\(axis)}"
  }

  private func declaration(_ weight: Weight) -> String {
    let value = isInline(weight) ? TensorText.literal(weight.tensor) : "external"
    let origin = weight.origin.map { " from \(MIRName.quoted($0))" } ?? ""
    return "weight @\(MIRName.sigiled(weight.name)) : \(weight.type) = \(value)\(origin)"
  }
}

extension Module {
  /// The module as `.mir`; weights above `inlineLimit` bytes by name only.
  public func text(inlineLimit: Int = 256) -> String { ModulePrinter(self, inlineLimit: inlineLimit).text }
}

extension Function {
  /// The function alone, as it stands in a module's text.
  public var text: String {
    var printer = FunctionPrinter(self)
    printer.printFunction()
    return printer.lines.joined(separator: "\n")
  }
}
