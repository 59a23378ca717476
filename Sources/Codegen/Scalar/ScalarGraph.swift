import IR
import Support

/// A DAG of scalar ops over the elements of some tensors: what a map or an epilogue computes.
struct ScalarGraph {
  enum Source: Hashable {
    case input(Int)
    case node(Int)
  }
  struct Node {
    var kind: any ScalarLowering
    var sources: [Source]
    var types: [ElementType]
    var result: ElementType
  }
  /// A tensor read element by element.
  struct Input {
    var view: TensorView
    /// What broadcasts to the result.
    var shape: [Dim]
    /// Known to hold floats that are no NaN.
    var isNumbers = false
  }
  private(set) var inputs: [Input] = []
  private(set) var nodes: [Node] = []
  private var sourceOfValue: [ValueID: Source] = [:]

  var canFail: Bool { nodes.contains { $0.kind.canFail($0.types) } }

  /// Declares that `value` is not computed here but given: the sum of a contraction.
  mutating func give(_ value: ValueID, as source: Source) { sourceOfValue[value] = source }

  mutating func addInput(_ input: Input) -> Source {
    inputs.append(input)
    return .input(inputs.count - 1)
  }

  mutating func addNode(
    _ kind: any ScalarLowering, _ sources: [Source], _ types: [ElementType], _ result: ElementType
  ) -> Source {
    nodes.append(Node(kind: kind, sources: sources, types: types, result: result))
    return .node(nodes.count - 1)
  }

  func source(of value: ValueID) -> Source? { sourceOfValue[value] }

  /// Adds an op. Operands that are not computed here are read where they lie.
  mutating func add(
    _ kind: any ScalarLowering, operands: [ValueID], result: ValueID, _ program: ProgramBuilder
  ) throws(Diagnostic) {
    let types = try operands.map { value throws(Diagnostic) in try program.tensorType(value) }
    if kind is Compare, types.contains(where: { $0.plain == .string }) {
      throw .unsupported("texts are not compared in a kernel")
    }
    let constants = operands.map { program.constant($0)?.tensor }
    let kind = try kind.specialized(types, constants, program.module)
    var sources: [Source] = []
    for ((operand, type), shape) in zip(zip(operands, types), kind.operandShapes(types)) {
      if shape != type.shape {
        // Read in a way of its own; a value that is computed here cannot be.
        if case .node? = sourceOfValue[operand] {
          throw .unsupported("parameters along an axis that are computed in the same kernel have no code yet")
        }
        let view = try TensorView(dense: type.with(shape: shape), try program.buffer(of: operand))
        sources.append(addInput(Input(view: view, shape: shape)))
      } else if let known = sourceOfValue[operand] {
        sources.append(known)
      } else {
        let isNumbers = Self.isNumbers(program.constant(operand)?.tensor)
        let view = try program.view(of: operand)
        let source = addInput(Input(view: view, shape: shape, isNumbers: isNumbers))
        sourceOfValue[operand] = source
        sources.append(source)
      }
    }
    let resultType = try program.tensorType(result)
    var elements = try types.map { type throws(Diagnostic) in try type.elementForCode() }
    for parameter in try kind.parameters(types, result: resultType, program.module) {
      let buffer = program.weightBuffer(program.parameterKey(parameter), parameter)
      let view = try TensorView(dense: parameter.type, buffer)
      sources.append(addInput(Input(view: view, shape: parameter.type.shape)))
      elements.append(try parameter.type.elementForCode())
    }
    nodes.append(
      Node(kind: kind, sources: sources, types: elements, result: try resultType.elementForCode()))
    sourceOfValue[result] = .node(nodes.count - 1)
  }

  /// Worth knowing of limits and the like, which are single numbers.
  private static func isNumbers(_ tensor: Tensor?) -> Bool {
    guard let tensor, tensor.count == 1, tensor.isFloat else { return false }
    return !tensor.doubles()[0].isNaN
  }

  /// Emits all nodes; `given` are the inputs' elements in register form.
  func emit(_ given: [LoopValue], in scope: KernelScope) throws(Diagnostic) -> [LoopValue] {
    for (input, value) in zip(inputs, given) where input.isNumbers { scope.build.know(number: value) }
    var values: [LoopValue] = []
    for node in nodes {
      let operands = node.sources.map { source in
        switch source {
        case .input(let number): given[number]
        case .node(let number): values[number]
        }
      }
      values.append(try node.kind.lower(operands, node.types, result: node.result, in: scope))
    }
    return values
  }
}

extension TensorType {
  /// The element type code computes with; block formats and packed layouts have none.
  func elementForCode() throws(Diagnostic) -> ElementType {
    guard let storage = element.storage, layout == nil else {
      throw .unsupported("elements of \(self) have no code of their own")
    }
    return storage
  }
}

extension ProgramBuilder {
  /// A weight's name for a constant that codegen makes; equal constants share one.
  func parameterKey(_ tensor: Tensor) -> WeightKey {
    let shape = tensor.shape.map(String.init).joined(separator: "x")
    return WeightKey(.constant("constant.\(tensor.element).\(shape).\(ContentHash.of(tensor.bytes))"))
  }
}
