import IR
import Support

/// Reads what the moved taps of a deformable convolution see: a matrix of one row a pixel of the result, in which a
/// matrix product then finds the taps in their usual order.
struct DeformSampleGenerator {
  let geometry: WindowGeometry
  let batch: Dim
  let input: [Dim]
  let output: [Dim]
  let channels: Int
  let groups: Int
  let offsetGroups: Int
  let element: ElementType
  let image: BufferID
  let offsets: BufferID
  let mask: BufferID?
  /// `[pixels, groups, taps, channels / groups]`.
  let target: BufferID

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(element)
    let from = scope.buffer(image, form.memory, .read)
    let offsetFrom = scope.buffer(offsets, form.memory, .read)
    let maskFrom = mask.map { scope.buffer($0, form.memory, .read) }
    let to = scope.buffer(target, form.memory, .write)
    let lanes = scope.profile.lanes(bits: form.register.bits)
    let taps = geometry.window.reduce(1, *)
    let scalar = LoopType(form.register)
    let zero = build.index(0)
    let one = build.float(1, scalar)
    // Channels with one offset and one group of filters.
    let piece = channels / leastCommonMultiple(groups, offsetGroups)
    let pixels = output.reduce(batch, *)
    scope.partition(pixels, grain: Swift.max(1, 4096 / Swift.max(1, channels * taps))) { low, high in
      build.forEach(low, high) { pixel in
        let place = scope.decompose(pixel, [batch] + output)
        build.forEach(zero, build.index(taps)) { tap in
          let window = [
            build.div(tap, build.index(geometry.window[1])), build.rem(tap, build.index(geometry.window[1])),
          ]
          build.forEach(zero, build.index(channels / piece)) { number in
            let channel = build.mul(number, piece)
            let offsetGroup = build.div(channel, build.index(channels / offsetGroups))
            let entry = build.add(
              build.mul(build.add(build.mul(pixel, offsetGroups), offsetGroup), taps), tap)
            // Along each axis: the element at or before the place, and how far behind it that is.
            var starts: [LoopValue] = []
            var parts: [LoopValue] = []
            for axis in 0..<2 {
              let fixed = build.add(
                build.add(build.mul(place[axis + 1], geometry.strides[axis]), -geometry.before[axis]),
                build.mul(window[axis], geometry.dilations[axis]))
              let moved = build.add(
                build.convert(.signedToFloat, fixed, to: scalar),
                scope.read(offsetFrom, form, at: build.add(build.mul(entry, 2), axis), stride: 1, lanes: 1))
              let whole = build.unary(.floor, moved)
              parts.append(build.sub(moved, whole))
              // Far outside is as good as just outside, and fits an index.
              let limit = build.convert(.signedToFloat, build.add(scope.index(input[axis]), 1), to: scalar)
              let near = build.max(build.float(-2, scalar), build.min(limit, whole))
              starts.append(build.convert(.floatToSigned, near, to: .index))
            }
            let factor = maskFrom.map { scope.read($0, form, at: entry, stride: 1, lanes: 1) } ?? one
            var corners: [(base: LoopValue, weight: LoopValue)] = []
            for corner in 0..<4 {
              var (isInside, weight) = (build.compare(.eq, zero, zero), factor)
              var position = place[0]
              for (axis, step) in [corner / 2, corner % 2].enumerated() {
                let index = build.add(starts[axis], step)
                let extent = scope.index(input[axis])
                isInside = build.binary(
                  .and, isInside,
                  build.binary(.and, build.compare(.ge, index, zero), build.compare(.lt, index, extent)))
                let inside = build.max(zero, build.min(index, build.sub(extent, build.index(1))))
                position = build.add(build.mul(position, extent), inside)
                weight = build.mul(weight, step == 1 ? parts[axis] : build.sub(one, parts[axis]))
              }
              corners.append(
                (
                  build.add(build.mul(position, channels), channel),
                  build.select(isInside, weight, build.zero(scalar))
                ))
            }
            let group = build.div(channel, build.index(channels / groups))
            let row = build.add(build.mul(build.add(build.mul(pixel, groups), group), taps), tap)
            let out = build.add(
              build.mul(row, channels / groups), build.rem(channel, build.index(channels / groups)))
            scope.span(zero, build.index(piece), lanes: lanes) { c, lanes, mask in
              var sum = build.zero(LoopType(form.register, lanes: lanes))
              for (base, weight) in corners {
                let value = scope.read(from, form, at: build.add(base, c), stride: 1, lanes: lanes, mask: mask)
                sum = scope.math.multiplyAdd(value, build.splat(weight, lanes: lanes), sum)
              }
              scope.write(sum, to: to, form, at: build.add(out, c), stride: 1, mask: mask)
            }
          }
        }
      }
    }
  }

  private func leastCommonMultiple(_ a: Int, _ b: Int) -> Int {
    var (x, y) = (a, b)
    while y != 0 { (x, y) = (y, x % y) }
    return a / x * b
  }
}
