import IR
import Support

/// What happens to the sums of a contraction while they are in registers, before their only store.
struct Epilogue {
  /// A tensor as the result's rows and columns see it: bias, residual, the result itself.
  struct Operand {
    var buffer: BufferID
    var element: ElementType
    var offset: Dim = 0
    /// One stride for each batch axis, in elements.
    var batchStrides: [Dim]
    var rowStride: Dim
    var columnStride: Dim
  }

  var operands: [Operand]
  var result: Operand
  /// Per column, what a signed left operand's shift to unsigned added to each sum.
  var correction: Operand?
  /// From the sum and the operands' elements to the result's element, all in register form.
  var body: (KernelScope, LoopValue, [LoopValue]) throws(Diagnostic) -> LoopValue
}

/// An epilogue inside of a kernel: its buffers as parameters, its operands placed in the current batch.
final class EpilogueEmitter {
  private let scope: KernelScope
  private let epilogue: Epilogue
  private let forms: [ElementForm]
  private let references: [BufferReference]
  private let resultForm: ElementForm
  private let resultReference: BufferReference
  private var all: [Epilogue.Operand] { epilogue.operands + (epilogue.correction.map { [$0] } ?? []) }
  private(set) var failure: Diagnostic?

  init(_ scope: KernelScope, _ epilogue: Epilogue) throws(Diagnostic) {
    self.scope = scope
    self.epilogue = epilogue
    let operands = epilogue.operands + (epilogue.correction.map { [$0] } ?? [])
    let forms = try operands.map { operand throws(Diagnostic) in try ElementForm(operand.element) }
    self.forms = forms
    references = operands.enumerated().map { scope.buffer($1.buffer, forms[$0].memory, .read) }
    resultForm = try ElementForm(epilogue.result.element)
    guard resultForm.perByte == 1 else {
      throw .unsupported("a contraction cannot write \(epilogue.result.element) elements")
    }
    resultReference = scope.buffer(epilogue.result.buffer, resultForm.memory, .write)
  }

  /// For generators that compute each element of the result once: operands that lie as the result does may be
  /// overwritten by it, since the one vector is stored right behind where the other is read.
  func allowOverwriting() {
    let result = epilogue.result
    for (operand, form) in zip(epilogue.operands, forms)
    where operand.offset == result.offset && operand.batchStrides == result.batchStrides
      && operand.rowStride == result.rowStride && operand.columnStride == result.columnStride && form.perByte == 1
    {
      scope.mayOverwrite(operand.buffer, with: result.buffer)
    }
  }

  /// Where the current batch starts, for every operand and the result (last).
  func bases(_ batch: [LoopValue]) -> [LoopValue] {
    (all + [epilogue.result]).map { operand in
      var base = scope.index(operand.offset)
      for (axis, index) in batch.enumerated() {
        base = scope.build.add(base, scope.build.mul(index, scope.index(operand.batchStrides[axis])))
      }
      return base
    }
  }

  /// Finishes and stores one vector of sums: row `row + rowOffset`, columns from `column + columnOffset` on.
  func store(
    _ sum: LoopValue, bases: [LoopValue], row: LoopValue, rowOffset: Int, column: LoopValue, columnOffset: Int,
    mask: LoopValue?
  ) {
    guard failure == nil else { return }
    let build = scope.build
    let lanes = build.type(sum).lanes
    func position(_ operand: Epilogue.Operand, _ base: LoopValue) -> LoopValue {
      // Constant parts last, so that they end up in the machine's address offsets.
      var index = build.add(base, build.mul(row, scope.index(operand.rowStride)))
      index = build.add(index, build.mul(column, scope.index(operand.columnStride)))
      let constant = operand.rowStride * rowOffset + operand.columnStride * columnOffset
      return build.add(index, scope.index(constant))
    }
    do throws(Diagnostic) {
      var values = all.indices.map { number in
        scope.read(
          references[number], forms[number], at: position(all[number], bases[number]),
          stride: all[number].columnStride, lanes: lanes, mask: mask)
      }
      var value = sum
      if epilogue.correction != nil { value = build.sub(value, values.removeLast()) }
      let result = try epilogue.body(scope, value, values)
      scope.write(
        result, to: resultReference, resultForm, at: position(epilogue.result, bases[all.count]),
        stride: epilogue.result.columnStride, mask: mask)
    } catch { failure = error }
  }
}
