import IR
import Support

/// How updates meet the elements they go to.
struct ScatterUpdate {
  let updates: TensorView
  /// Read and written.
  let target: TensorView
  /// Nil where the update takes the element's place.
  let combination: Combination?
  /// What the elements are; narrow ones lose what memory cannot hold.
  let element: ElementType

  struct Buffers {
    let updates: BufferReference
    let updateForm: ElementForm
    let target: BufferReference
    let targetForm: ElementForm
  }

  func buffers(_ scope: KernelScope) throws(Diagnostic) -> Buffers {
    let (updateForm, targetForm) = (try ElementForm(updates.element), try ElementForm(target.element))
    return Buffers(
      updates: scope.buffer(updates.buffer, updateForm.memory, .read), updateForm: updateForm,
      target: scope.buffer(target.buffer, targetForm.memory, .update), targetForm: targetForm)
  }

  /// Brings `lanes` neighbours of the updates to neighbours of the target.
  func apply(
    _ scope: KernelScope, _ buffers: Buffers, from source: LoopValue, to goal: LoopValue, lanes: Int, mask: LoopValue?
  ) {
    let place = scope.build.add(source, scope.index(updates.offset))
    let end = scope.build.add(goal, scope.index(target.offset))
    var value = scope.read(buffers.updates, buffers.updateForm, at: place, stride: 1, lanes: lanes, mask: mask)
    if let combination {
      let old = scope.read(buffers.target, buffers.targetForm, at: end, stride: 1, lanes: lanes, mask: mask)
      value = scope.rounded(combination.combine(scope.build, old, value), as: element)
    }
    scope.write(value, to: buffers.target, buffers.targetForm, at: end, stride: 1, mask: mask)
  }
}
