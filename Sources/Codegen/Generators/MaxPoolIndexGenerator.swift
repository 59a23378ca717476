import IR
import Support

/// Finds where the greatest element under each window stands. Images are `[N, spatial..., C]`.
struct MaxPoolIndexGenerator {
  let geometry: WindowGeometry
  let imageShape: [Dim]
  let resultShape: [Dim]
  let image: TensorView
  let target: BufferID

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(image.element)
    let from = scope.buffer(image.buffer, form.memory, .read)
    let to = scope.buffer(target, .i64, .write)
    let last = imageShape.count - 1
    let spatial = Array(imageShape[1..<last])
    let strides = rowMajorStrides(spatial)
    let channels = scope.index(imageShape[last])
    let outer = Array(resultShape.dropLast())
    let size = geometry.window.reduce(1, *)
    scope.partition(outer.reduce(Dim(1), *), grain: KernelScope.grain(imageShape[last] * size)) { low, high in
      build.forEach(low, high) { unit in
        let places = scope.decompose(unit, outer)
        let base = build.mul(places[0], scope.index(spatial.reduce(Dim(1), *)))
        let goal = build.mul(unit, channels)
        scope.span(build.index(0), channels, lanes: scope.profile.lanes(bits: 64)) { c, lanes, mask in
          let type = LoopType(form.register, lanes: lanes)
          let wide = LoopType(.i64, lanes: lanes)

          /// The best value and its pixel over the taps of the axes from `axis` on.
          func walk(_ axis: Int, _ pixel: LoopValue, _ carried: [LoopValue]) -> [LoopValue] {
            if axis == spatial.count {
              let place = build.add(build.mul(build.add(base, pixel), channels), c)
              let value = scope.read(
                from, form, at: build.add(place, scope.index(image.offset)), stride: 1, lanes: lanes, mask: mask)
              let isFirst = build.compare(.lt, carried[1], build.zero(wide))
              let isGreater = build.compare(
                image.element.isSigned ? .gt : .ugt, value, carried[0])
              let wins = build.binary(.or, isFirst, isGreater)
              return [
                build.select(wins, value, carried[0]), build.select(wins, build.splat(pixel, lanes: lanes), carried[1]),
              ]
            }
            return build.forLoop(build.index(0), build.index(geometry.window[axis]), carrying: carried) { i, carried in
              let start = build.sub(
                build.mul(places[axis + 1], geometry.strides[axis]), build.index(geometry.before[axis]))
              let at = build.add(start, build.mul(i, geometry.dilations[axis]))
              return build.ifElse(
                build.compare(.ult, at, scope.index(spatial[axis])),
                then: { walk(axis + 1, build.add(pixel, build.mul(at, scope.index(strides[axis]))), carried) },
                else: { carried })
            }
          }
          let best = walk(0, build.index(0), [build.zero(type), build.integer(-1, wide)])
          let found = build.max(best[1], build.zero(wide))
          build.store(found, Address(to, build.add(goal, c)), mask: mask)
        }
      }
    }
  }
}
