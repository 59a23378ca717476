import IR
import Support

/// Adds up what the windows of all places have for each element of an image.
struct FoldGenerator {
  let geometry: WindowGeometry
  /// Images times channels.
  let planes: Dim
  let spatial: [Dim]
  let places: [Dim]
  let element: ElementType
  let data: TensorView
  let target: TensorView

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(data.element)
    let targetForm = try ElementForm(target.element)
    let from = scope.buffer(data.buffer, form.memory, .read)
    let to = scope.buffer(target.buffer, targetForm.memory, .write)
    let type = LoopType(form.register)
    let window = geometry.window
    let size = window.reduce(1, *)
    let (taps, columns) = (rowMajorStrides(window), rowMajorStrides(places))
    let row = places.reduce(Dim(1), *)

    /// The sum over the taps of the axes from `axis` on; `tap` and `place` are row-major numbers so far.
    func walk(
      _ axis: Int, _ indices: [LoopValue], _ tap: LoopValue, _ place: LoopValue, _ sum: LoopValue
    ) -> LoopValue {
      if axis == spatial.count {
        let line = build.add(build.mul(indices[0], size), tap)
        let position = build.add(build.add(build.mul(line, scope.index(row)), place), scope.index(data.offset))
        return build.add(sum, scope.read(from, form, positions: position))
      }
      let stride = geometry.strides[axis]
      return build.forLoop(build.index(0), build.index(window[axis]), carrying: [sum]) { i, carried in
        // The place whose window has its tap `i` here, if there is one.
        let start = build.sub(
          build.add(indices[axis + 1], geometry.before[axis]), build.mul(i, geometry.dilations[axis]))
        let number = build.div(start, build.index(stride))
        let isWhole = build.compare(.eq, build.mul(number, stride), start)
        let isThere = build.binary(
          .and, build.compare(.ge, start, build.index(0)), build.compare(.lt, number, scope.index(places[axis])))
        return build.ifElse(
          build.binary(.and, isWhole, isThere),
          then: {
            [
              walk(
                axis + 1, indices, build.add(tap, build.mul(i, taps[axis])),
                build.add(place, build.mul(number, scope.index(columns[axis]))), carried[0])
            ]
          }, else: { carried })
      }[0]
    }
    scope.partition(planes * spatial.reduce(Dim(1), *), grain: Swift.max(1, 16384 / size)) { low, high in
      build.forEach(low, high) { unit in
        let indices = scope.decompose(unit, [planes] + spatial)
        let sum = walk(0, indices, build.index(0), build.index(0), build.zero(type))
        scope.write(
          scope.rounded(sum, as: element), to: to, targetForm, at: build.add(unit, scope.index(target.offset)),
          stride: 1)
      }
    }
  }
}
