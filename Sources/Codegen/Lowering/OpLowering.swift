import IR
import Support

/// An op that becomes steps of a program: kernels, copies, control flow.
///
/// Conformances live in `Codegen/Lowering`, one file an op family; an op without
/// one is reported as not supported, with its source name.
protocol OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic)

  /// How operand `number` may lie without being copied first.
  func reading(_ number: Int) -> OperandReading
  /// Whether results are written with other memory between their rows where they belong to a concat.
  var writesRows: Bool { get }
}

/// How a kernel can address an operand.
enum OperandReading: Int, Comparable {
  case dense
  /// In rows along the last axis, equally far apart.
  case rows
  /// With any strides.
  case strides

  static func < (a: OperandReading, b: OperandReading) -> Bool { a.rawValue < b.rawValue }
}

extension OpLowering {
  func reading(_ number: Int) -> OperandReading { .dense }
  var writesRows: Bool { false }
}

extension ProgramBuilder {
  /// Lowers the ops of a block in order.
  func lower(_ block: BlockID) throws(Diagnostic) {
    for id in function.ops(in: block) {
      try lowerSingle(id)
    }
  }

  /// Lowers one op; what goes wrong is placed at its source name, and says which op it was.
  func lowerSingle(_ id: OpID) throws(Diagnostic) {
    do throws(Diagnostic) {
      try lower(op: id)
    } catch {
      var error = error
      let mnemonic = function[id].kind.mnemonic
      // An op inside of this one has said so already.
      if error.location?.path == nil, error.kind == .unsupported, !error.message.contains(mnemonic) {
        error.message = "\(mnemonic): \(error.message)"
      }
      throw error.located(Location(path: site(id)))
    }
  }

  private func lower(op id: OpID) throws(Diagnostic) {
    let operation = function[id]
    // An op that only computes with extents costs nothing where nobody needs its value in memory.
    for guardian in operation.guards { append(.require(guardian.left, equals: guardian.right, site: site(id))) }
    requireExtents(of: id)
    if try lowerFromFacts(id) { return }
    guard let lowering = operation.kind as? any OpLowering else {
      throw .unsupported(
        "\(operation.kind.mnemonic) has no code for \(profile.name) yet",
        hint: "`martlet run --reference` evaluates it")
    }
    try lowering.lower(id, self)
  }

  /// A shape that does not fit its symbols shows as an extent below zero, which only the run may know.
  private func requireExtents(of id: OpID) {
    for result in function[id].results {
      for extent in function.tensorType(result)?.shape ?? [] where extent.symbols.allSatisfy(isBound) {
        requireNonNegative(extent, site: site(id))
      }
    }
  }

  /// Results whose elements are known as dim expressions are written as such.
  private func lowerFromFacts(_ id: OpID) throws(Diagnostic) -> Bool {
    let operation = function[id]
    guard operation.regions.isEmpty, operation.kind.effects.isPure, operation.results.count == 1,
      !(operation.kind is Constant), !(operation.kind is Extent),
      let elements = function[operation.results[0]].fact.elements,
      let type = function.tensorType(operation.results[0]), type.plain == .i64
    else { return false }
    let buffer = try allocate(for: operation.results[0])
    for (number, element) in elements.enumerated() { append(.storeIndex(element, buffer, offset: number * 8)) }
    return true
  }
}
