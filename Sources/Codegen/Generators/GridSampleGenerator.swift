import IR
import Support

/// Samples images at places that are data. Images are `[N, spatial..., C]`, places `[N, count, axes]`.
struct GridSampleGenerator {
  let op: GridSample
  let images: Dim
  let spatial: [Dim]
  let channels: Dim
  /// Places of one image.
  let count: Dim
  let image: TensorView
  let grid: TensorView
  let target: TensorView

  /// One neighbour along an axis.
  private struct Tap {
    /// Inside of the image, whatever was asked for.
    let index: LoopValue
    /// Nil where nothing is outside.
    let isInside: LoopValue?
    /// f32; nil for 1.
    let weight: LoopValue?
  }

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(image.element)
    let gridForm = try ElementForm(grid.element)
    let targetForm = try ElementForm(target.element)
    let from = scope.buffer(image.buffer, form.memory, .read)
    let places = scope.buffer(grid.buffer, gridForm.memory, .read)
    let to = scope.buffer(target.buffer, targetForm.memory, .write)
    let strides = rowMajorStrides(spatial)
    let pixels = spatial.reduce(Dim(1), *)
    let run = scope.index(channels)
    let lanes = scope.profile.lanes(bits: form.register.bits)
    var failure: Diagnostic?
    // Nothing can be taken of an empty image.
    build.check(build.compare(.gt, scope.index(pixels), build.index(0)), status: KernelStatus.indexOutOfRange)
    scope.partition(images * count, grain: KernelScope.grain(channels * 16)) { low, high in
      build.forEach(low, high) { point in
        let number = scope.decompose(point, [images, count])[0]
        var combinations: [Tap] = [Tap(index: build.mul(number, scope.index(pixels)), isInside: nil, weight: nil)]
        for axis in spatial.indices {
          let position = build.add(
            build.mul(point, spatial.count), build.add(scope.index(grid.offset), spatial.count - 1 - axis))
          let raw = scope.read(places, gridForm, positions: position)
          var place = raw
          do throws(Diagnostic) {
            place = try scope.convert(raw, from: grid.element, to: .f32, saturate: false)
          } catch { failure = error }
          let own = taps(scope, place, spatial[axis])
          combinations = combinations.flatMap { outer in
            own.map { joined(build, outer, $0, stride: scope.index(strides[axis])) }
          }
        }
        let goal = build.add(build.mul(point, run), scope.index(target.offset))
        let sources = combinations.map {
          build.add(build.mul($0.index, run), scope.index(image.offset))
        }
        scope.span(build.index(0), run, lanes: lanes) { c, lanes, mask in
          let type = LoopType(form.register, lanes: lanes)
          var sum: LoopValue?
          for (tap, source) in zip(combinations, sources) {
            var value = scope.read(from, form, at: build.add(source, c), stride: 1, lanes: lanes, mask: mask)
            if let isInside = tap.isInside { value = build.select(isInside, value, build.zero(type)) }
            if let weight = tap.weight {
              let factor = build.convert(.floatExtend, weight, to: type.with(lanes: 1))
              value = build.mul(build.splat(factor, lanes: lanes), value)
            }
            sum = sum.map { build.add($0, value) } ?? value
          }
          let result = scope.rounded(sum ?? build.zero(type), as: target.element)
          scope.write(result, to: to, targetForm, at: build.add(goal, c), stride: 1, mask: mask)
        }
      }
    }
    if let failure { throw failure }
  }

  private func joined(_ build: KernelBuilder, _ outer: Tap, _ own: Tap, stride: LoopValue) -> Tap {
    var isInside = outer.isInside ?? own.isInside
    if let a = outer.isInside, let b = own.isInside { isInside = build.binary(.and, a, b) }
    var weight = outer.weight ?? own.weight
    if let a = outer.weight, let b = own.weight { weight = build.mul(a, b) }
    return Tap(index: build.add(outer.index, build.mul(own.index, stride)), isInside: isInside, weight: weight)
  }

  private func taps(_ scope: KernelScope, _ place: LoopValue, _ extent: Dim) -> [Tap] {
    let build = scope.build
    let real = LoopType(.f32)
    func number(_ value: Double) -> LoopValue { build.float(value, real) }
    let length = build.convert(.signedToFloat, scope.index(extent), to: real)
    let ends = (
      low: number(op.alignCorners ? 0 : -0.5), high: build.add(length, number(op.alignCorners ? -1 : -0.5))
    )
    let shifted = build.add(place, number(1))
    let last = build.sub(length, number(1))
    var x =
      op.alignCorners
      ? build.mul(build.div(shifted, number(2)), last)
      : build.div(build.sub(build.mul(shifted, length), number(1)), number(2))
    x = build.select(build.compare(.eq, x, x), x, number(0))
    x = build.min(build.max(x, number(-1e9)), number(1e9))
    if op.mode == .nearest { x = build.unary(.rint, x) }
    let isOut = build.binary(.or, build.compare(.lt, x, ends.low), build.compare(.gt, x, ends.high))
    switch op.padding {
    case .zeros: break
    case .border where op.mode == .cubic: break
    case .border: x = build.select(isOut, build.min(build.max(x, number(0)), last), x)
    case .reflection: x = mirrored(build, x, ends)
    }
    func tap(_ index: LoopValue, _ weight: LoopValue?) -> Tap {
      let most = build.sub(scope.index(extent), build.index(1))
      var place = index
      if op.padding == .reflection {
        let reflected = mirrored(build, build.convert(.signedToFloat, index, to: real), ends)
        place = build.convert(.floatToSigned, reflected, to: .index)
      }
      let inside = build.min(build.max(place, build.index(0)), most)
      let isInside = op.padding == .zeros ? build.compare(.ult, index, scope.index(extent)) : nil
      return Tap(index: inside, isInside: isInside, weight: weight)
    }
    if op.mode == .nearest { return [tap(build.convert(.floatToSigned, x, to: .index), nil)] }
    let base = build.unary(.floor, x)
    let rest = build.sub(x, base)
    let first = build.convert(.floatToSigned, base, to: .index)
    let numbers = op.mode == .linear ? [0, 1] : [-1, 0, 1, 2]
    return numbers.map { offset in
      tap(build.add(first, offset), weight(build, build.sub(number(Double(offset)), rest)))
    }
  }

  private func weight(_ build: KernelBuilder, _ distance: LoopValue) -> LoopValue {
    let real = build.type(distance)
    func number(_ value: Double) -> LoopValue { build.float(value, real) }
    let x = build.unary(.abs, distance)
    if op.mode == .linear { return build.max(number(0), build.sub(number(1), x)) }
    let near = build.add(
      build.mul(build.mul(build.sub(build.mul(number(1.25), x), number(2.25)), x), x), number(1))
    var far = build.add(build.mul(number(-0.75), x), number(3.75))
    far = build.sub(build.mul(far, x), number(6))
    far = build.add(build.mul(far, x), number(3))
    let isFar = build.compare(.lt, x, number(2))
    return build.select(build.compare(.le, x, number(1)), near, build.select(isFar, far, number(0)))
  }

  /// A place outside brought back as if the image went on mirrored.
  private func mirrored(
    _ build: KernelBuilder, _ x: LoopValue, _ ends: (low: LoopValue, high: LoopValue)
  ) -> LoopValue {
    let real = build.type(x)
    func number(_ value: Double) -> LoopValue { build.float(value, real) }
    let span = build.sub(ends.high, ends.low)
    let hasSpan = build.compare(.gt, span, number(0))
    let divisor = build.select(hasSpan, span, number(1))
    let isLow = build.compare(.lt, x, ends.low)
    let isOut = build.binary(.or, isLow, build.compare(.gt, x, ends.high))
    let distance = build.select(isLow, build.sub(ends.low, x), build.sub(x, ends.high))
    let turns = build.unary(.trunc, build.div(distance, divisor))
    let rest = build.sub(distance, build.mul(turns, divisor))
    let half = build.unary(.floor, build.div(turns, number(2)))
    let isEven = build.compare(.eq, build.sub(turns, build.mul(number(2), half)), number(0))
    let fromLow = build.unary(.not, build.binary(.xor, isLow, isEven))
    let back = build.select(fromLow, build.add(ends.low, rest), build.sub(ends.high, rest))
    return build.select(hasSpan, build.select(isOut, back, x), number(0))
  }
}
