import IR
import Support

/// The greatest or mean element under a sliding window, channels in lanes. The window is clipped to the image by loop
/// bounds, so that padding costs nothing.
struct PoolGenerator {
  let geometry: WindowGeometry
  let isAverage: Bool
  let countsPadding: Bool
  /// Batch first, channels last.
  let imageShape: [Dim]
  let resultShape: [Dim]
  let image: TensorView
  let result: TensorView

  private static let elementsPerThread = 8192
  private static let vectorsAtOnce = 4

  /// The taps of one output index that meet the image along an axis.
  private struct Taps {
    var origin: LoopValue
    var low: LoopValue
    var high: LoopValue
    /// How many the mean counts.
    var counted: LoopValue
  }

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(image.element)
    let resultForm = try ElementForm(result.element)
    let from = scope.buffer(image.buffer, form.memory, .read)
    let to = scope.buffer(result.buffer, resultForm.memory, .write)
    let combination = Combination(isAverage ? .sum : .maximum, of: form)
    let spatial = geometry.window.count
    let pixels = Array(resultShape.dropLast())
    let strides = image.strides
    // Pixels are equally far apart.
    let pitch = rowPitch(result.strides, resultShape) ?? resultShape[resultShape.count - 1]
    let channels = resultShape[resultShape.count - 1]
    let lanes = scope.profile.lanes(bits: form.register.bits)
    let taps = geometry.window.reduce(1, *)
    let grain = Swift.max(1, Self.elementsPerThread / Swift.max(1, (channels.constant ?? 64) * taps))

    scope.partition(pixels.reduce(Dim(1), *), grain: grain) { first, last in
      build.forEach(first, last) { unit in
        let pixel = scope.decompose(unit, pixels)
        let taps = (0..<spatial).map { self.taps(scope, $0, pixel[$0 + 1]) }
        let imageBase = build.mul(pixel[0], scope.index(strides[0]))
        let resultBase = build.mul(unit, scope.index(pitch))
        let count = taps.reduce(build.index(1)) { build.mul($0, $1.counted) }

        func walk(
          _ axis: Int, _ base: LoopValue, _ carried: [LoopValue], _ lanes: Int, _ mask: LoopValue?
        ) -> [LoopValue] {
          if axis == spatial {
            return carried.indices.map { vector in
              let value = scope.read(
                from, form, at: build.add(base, vector * lanes), stride: 1, lanes: lanes, mask: mask)
              return combination.combine(build, carried[vector], value)
            }
          }
          return build.forLoop(taps[axis].low, taps[axis].high, carrying: carried) { number, carried in
            let position = build.add(taps[axis].origin, build.mul(number, geometry.dilations[axis]))
            let next = build.add(base, build.mul(position, scope.index(strides[axis + 1])))
            return walk(axis + 1, next, carried, lanes, mask)
          }
        }
        func block(_ channel: LoopValue, _ vectors: Int, _ lanes: Int, _ mask: LoopValue?) {
          let initial = (0..<vectors).map { _ in combination.identity(build, lanes: lanes) }
          let sums = walk(0, build.add(imageBase, channel), initial, lanes, mask)
          for (vector, sum) in sums.enumerated() {
            var value = sum
            if isAverage {
              let type = LoopType(form.register)
              let divisor = build.convert(.signedToFloat, build.max(count, build.index(1)), to: type)
              value = build.div(value, build.splat(divisor, lanes: lanes))
            }
            let place = build.add(build.add(resultBase, channel), vector * lanes)
            scope.write(
              scope.rounded(value, as: image.element), to: to, resultForm, at: place, stride: 1, mask: mask)
          }
        }
        let width = scope.index(channels)
        let step = Self.vectorsAtOnce * lanes
        let blockEnd = scope.wholeVectors(build.index(0), width, lanes: step)
        build.forEach(build.index(0), blockEnd, step: step) { block($0, Self.vectorsAtOnce, lanes, nil) }
        scope.span(blockEnd, width, lanes: lanes) { block($0, 1, $1, $2) }
      }
    }
  }

  private func taps(_ scope: KernelScope, _ axis: Int, _ index: LoopValue) -> Taps {
    let build = scope.build
    let zero = build.index(0)
    let window = build.index(geometry.window[axis])
    let dilation = geometry.dilations[axis]
    let origin = build.sub(build.mul(index, geometry.strides[axis]), build.index(geometry.before[axis]))
    let reach = build.sub(scope.index(imageShape[axis + 1]), origin)
    let taps = { (length: LoopValue) in build.min(window, build.ceilDiv(build.max(length, zero), dilation)) }
    let low = taps(build.sub(zero, origin))
    let high = build.max(low, taps(reach))
    let counted =
      countsPadding ? taps(build.add(reach, geometry.after[axis])) : build.sub(high, low)
    return Taps(origin: origin, low: low, high: high, counted: counted)
  }
}
