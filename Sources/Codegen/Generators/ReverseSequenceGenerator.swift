import IR
import Support

/// Copies runs of elements along a time axis, those below a length in reverse.
struct ReverseSequenceGenerator {
  let shape: [Dim]
  let batchAxis: Int
  let timeAxis: Int
  let lengths: TensorView
  let data: TensorView
  let target: TensorView

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let lengthForm = try ElementForm(lengths.element)
    let form = try ElementForm(data.element)
    let targetForm = try ElementForm(target.element)
    let length = scope.buffer(lengths.buffer, lengthForm.memory, .read)
    let from = scope.buffer(data.buffer, form.memory, .read)
    let to = scope.buffer(target.buffer, targetForm.memory, .write)
    // Behind both axes, elements stay together.
    let outer = Array(shape[...Swift.max(batchAxis, timeAxis)])
    let inner = shape[outer.count...].reduce(Dim(1), *)
    let strides = rowMajorStrides(shape)
    let lanes = inner == 1 ? 1 : scope.profile.lanes(bits: form.register.bits)
    let run = scope.index(inner)
    scope.partition(outer.reduce(Dim(1), *), grain: KernelScope.grain(inner)) { low, high in
      build.forEach(low, high) { unit in
        let places = scope.decompose(unit, outer)
        let raw = scope.read(length, lengthForm, positions: places[batchAxis])
        let wide = build.convert(lengths.element.isSigned ? .signExtend : .zeroExtend, raw, to: .index)
        build.check(
          build.compare(.ule, wide, scope.index(shape[timeAxis])), status: KernelStatus.indexOutOfRange)
        let time = places[timeAxis]
        let mirrored = build.sub(build.sub(wide, build.index(1)), build.mul(time, 2))
        let isInside = build.compare(.lt, time, wide)
        let shift = build.select(isInside, mirrored, build.index(0))
        let goal = build.add(build.mul(unit, run), scope.index(target.offset))
        var source = build.add(build.mul(unit, run), scope.index(data.offset))
        source = build.add(source, build.mul(shift, scope.index(strides[timeAxis])))
        scope.span(build.index(0), run, lanes: lanes) { i, lanes, mask in
          let value = scope.read(from, form, at: build.add(source, i), stride: 1, lanes: lanes, mask: mask)
          scope.write(value, to: to, targetForm, at: build.add(goal, i), stride: 1, mask: mask)
        }
      }
    }
  }
}
