import IR
import Support

/// A copy in which the axis that is contiguous in the source is not the one that is contiguous in the result.
struct TransposedCopy {
  let extents: [Dim]
  let source: TensorView
  let target: TensorView
  /// The axis that is contiguous in the source; the last one is contiguous in the target.
  let axis: Int
  let form: ElementForm

  /// Nil when the copy is another.
  init?(_ copy: MapGenerator) throws(Diagnostic) {
    guard copy.inputs.count == 1, copy.outputs.count == 1, copy.inputs[0].element == copy.outputs[0].element else {
      return nil
    }
    let (extents, inputs, outputs) = copy.mergedAxes()
    let element = copy.inputs[0].element
    guard extents.count >= 2, element.bits >= 8, outputs[0].last == 1, inputs[0].last != 1, inputs[0].last != 0,
      let axis = inputs[0].dropLast().firstIndex(of: 1)
    else { return nil }
    self.extents = extents
    self.axis = axis
    form = try ElementForm(element)
    source = TensorView(copy.inputs[0].buffer, element, offset: copy.inputs[0].offset, strides: inputs[0])
    target = TensorView(copy.outputs[0].buffer, element, offset: copy.outputs[0].offset, strides: outputs[0])
  }
}
