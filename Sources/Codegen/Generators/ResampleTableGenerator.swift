import IR
import Support

/// Computes the table of a resampled axis whose extents only the run knows, as `ResampleAxis` does.
struct ResampleTableGenerator {
  let rule: ResampleRule
  let extent: Dim
  let count: Dim
  /// Zero for the ratio of the extents.
  let scale: Double
  let region: (start: Double, end: Double)
  /// Where only the run knows them: the number of the axis, the rank, and the vectors.
  let axis: Int
  let rank: Int
  let scales: TensorView?
  let regions: TensorView?
  /// More than the kernel is wide do no harm: those outside of it have no weight.
  let taps: Dim
  let table: ResampleGenerator.Table
  let weightScalar: LoopScalar

  /// One number of a vector of f32 or f64, as f64.
  private func number(_ scope: KernelScope, _ view: TensorView, _ place: Int) throws(Diagnostic) -> LoopValue {
    let form = try ElementForm(view.element)
    let position = scope.build.add(scope.index(view.offset), place)
    let value = scope.read(scope.buffer(view.buffer, form.memory, .read), form, positions: position)
    return try scope.convert(value, from: view.element, to: .f64, saturate: false)
  }

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let real = LoopType(.f64)
    let indices = scope.buffer(table.indices, .i64, .write)
    let weights = table.weights.map { scope.buffer($0, weightScalar, .update) }
    let tapCount = scope.index(taps)
    let (from, to) = (scope.index(extent), scope.index(count))
    let weightType = LoopType(weightScalar)
    let isFine = build.binary(
      .or, build.compare(.gt, from, build.index(0)), build.compare(.eq, to, build.index(0)))
    build.check(isFine, status: KernelStatus.indexOutOfRange)
    let length = build.convert(.signedToFloat, from, to: real)
    let total = build.convert(.signedToFloat, to, to: real)
    var ratio = scale > 0 ? build.float(scale, real) : build.div(total, length)
    var width = scale > 0 ? build.mul(ratio, length) : total
    if let scales {
      let given = try number(scope, scales, axis)
      let isFinite = build.compare(.lt, given, build.float(.infinity, real))
      build.check(
        build.binary(.and, isFinite, build.compare(.ge, given, build.zero(real))),
        status: KernelStatus.indexOutOfRange)
      let isGiven = build.compare(.gt, given, build.zero(real))
      ratio = build.select(isGiven, given, ratio)
      width = build.select(isGiven, build.mul(given, length), width)
    }
    var span = (build.float(region.start, real), build.float(region.end, real))
    if let regions { span = (try number(scope, regions, axis), try number(scope, regions, axis + rank)) }
    let isWhole = isWhole(build, from, to, ratio, span)
    build.forEach(build.index(0), to) { place in
      let computed = coordinate(build, place, extent: from, count: to, ratio: ratio, width: width, span: span)
      let own = build.convert(.signedToFloat, place, to: LoopType(.f32))
      let x = build.convert(.floatExtend, build.select(isWhole, own, computed), to: real)
      let isNumber = build.compare(.eq, x, x)
      let far = build.float(1e9, real)
      let bounded = build.min(
        build.max(build.select(isNumber, x, build.zero(real)), build.unary(.neg, far)), far)
      let low = build.unary(.floor, bounded)
      let rest = build.sub(bounded, low)
      let base = build.convert(.floatToSigned, low, to: .index)
      let last = build.sub(from, build.index(1))
      if table.hasOutside {
        let isInside = build.binary(
          .and, build.compare(.ge, x, build.zero(real)),
          build.compare(.le, x, build.convert(.floatExtend, lastPlace(build, from), to: real)))
        let position = build.add(build.mul(tapCount, to), place)
        build.store(build.select(isInside, build.index(0), build.index(1)), Address(indices, position))
      }
      func store(_ index: LoopValue, at position: LoopValue) {
        build.store(build.min(build.max(index, build.index(0)), last), Address(indices, position))
      }
      guard let weights else {
        store(build.add(base, build.select(isUp(build, rest), build.index(1), build.index(0))), at: place)
        return
      }
      let isNarrow = build.compare(.lt, ratio, build.float(1, real))
      let narrowing = rule.antialias ? build.select(isNarrow, ratio, build.float(1, real)) : build.float(1, real)
      let first = build.sub(build.index(1), build.div(tapCount, build.index(2)))
      let sum = build.forLoop(build.index(0), tapCount, carrying: [build.zero(real)]) { tap, carried in
        let offset = build.add(first, tap)
        let index = build.add(base, offset)
        let distance = build.mul(build.sub(build.convert(.signedToFloat, offset, to: real), rest), narrowing)
        var weight = self.weight(build, distance)
        if rule.excludeOutside {
          weight = build.select(build.compare(.ult, index, from), weight, build.zero(real))
        }
        let position = build.add(build.mul(tap, to), place)
        store(index, at: position)
        build.store(build.convert(.floatTruncate, weight, to: weightType), Address(weights, position))
        return [build.add(carried[0], weight)]
      }[0]
      guard rule.antialias || rule.excludeOutside else { return }
      let divisor = build.select(build.compare(.ne, sum, build.zero(real)), sum, build.float(1, real))
      build.forEach(build.index(0), tapCount) { tap in
        let place = Address(weights, build.add(build.mul(tap, to), place))
        let weight = build.convert(.floatExtend, build.load(weightType, place), to: real)
        build.store(build.convert(.floatTruncate, build.div(weight, divisor), to: weightType), place)
      }
    }
  }

  private func isUp(_ build: KernelBuilder, _ rest: LoopValue) -> LoopValue {
    let type = build.type(rest)
    switch rule.rounding {
    case .floor: return build.integer(0, .bool)
    case .ceil: return build.compare(.gt, rest, build.zero(type))
    case .preferFloor: return build.compare(.gt, rest, build.float(0.5, type))
    case .preferCeil: return build.compare(.ge, rest, build.float(0.5, type))
    }
  }

  /// Whether the axis stays as it is, whatever the rule says of places.
  private func isWhole(
    _ build: KernelBuilder, _ from: LoopValue, _ to: LoopValue, _ ratio: LoopValue,
    _ span: (start: LoopValue, end: LoopValue)
  ) -> LoopValue {
    let real = build.type(ratio)
    func isNear(_ value: LoopValue, _ goal: Double) -> LoopValue {
      build.compare(.lt, build.unary(.abs, build.sub(value, build.float(goal, real))), build.float(1e-9, real))
    }
    let isSame = build.binary(.and, build.compare(.eq, from, to), isNear(ratio, 1))
    guard rule.coordinates == .cropAndResize else { return isSame }
    return build.binary(.and, isSame, build.binary(.and, isNear(span.start, 0), isNear(span.end, 1)))
  }

  private func lastPlace(_ build: KernelBuilder, _ extent: LoopValue) -> LoopValue {
    let real = LoopType(.f32)
    return build.sub(build.convert(.signedToFloat, extent, to: real), build.float(1, real))
  }

  /// In f32, in the order of `ResampleAxis`.
  private func coordinate(
    _ build: KernelBuilder, _ place: LoopValue, extent: LoopValue, count: LoopValue, ratio: LoopValue,
    width wideWidth: LoopValue, span wideSpan: (start: LoopValue, end: LoopValue)
  ) -> LoopValue {
    let real = LoopType(.f32)
    func number(_ value: Double) -> LoopValue { build.float(value, real) }
    func narrow(_ value: LoopValue) -> LoopValue { build.convert(.floatTruncate, value, to: real) }
    func whole(_ value: LoopValue) -> LoopValue { build.convert(.signedToFloat, value, to: real) }
    let (x, scale, width) = (whole(place), narrow(ratio), narrow(wideWidth))
    let span = (start: narrow(wideSpan.start), end: narrow(wideSpan.end))
    let (length, total) = (whole(extent), whole(count))
    let half = build.sub(build.div(build.add(x, number(0.5)), scale), number(0.5))
    let isOne = build.compare(.eq, width, number(1))
    let last = build.sub(length, number(1))
    let steps = build.sub(width, number(1))
    switch rule.coordinates {
    case .halfPixel: return half
    case .pytorchHalfPixel: return build.select(isOne, number(0), half)
    case .halfPixelSymmetric:
      let offset = build.mul(
        build.div(length, number(2)), build.sub(number(1), build.div(total, width)))
      return build.sub(build.add(offset, build.div(build.add(x, number(0.5)), scale)), number(0.5))
    case .alignCorners: return build.select(isOne, number(0), build.div(build.mul(x, last), steps))
    case .asymmetric: return build.div(x, scale)
    case .nearestHalfPixel: return build.div(build.add(x, number(0.5)), scale)
    case .cropAndResize:
      let size = build.sub(span.end, span.start)
      let middle = build.div(build.mul(size, last), number(2))
      let spread = build.div(build.mul(build.mul(x, size), last), steps)
      return build.add(build.mul(span.start, last), build.select(isOne, middle, spread))
    }
  }

  private func weight(_ build: KernelBuilder, _ distance: LoopValue) -> LoopValue {
    let real = build.type(distance)
    func number(_ value: Double) -> LoopValue { build.float(value, real) }
    let x = build.unary(.abs, distance)
    if rule.mode == .linear { return build.max(number(0), build.sub(number(1), x)) }
    let a = rule.cubicCoefficient
    let near = build.add(
      build.mul(build.mul(build.sub(build.mul(number(a + 2), x), number(a + 3)), x), x), number(1))
    var far = build.sub(build.mul(number(a), x), number(5 * a))
    far = build.add(build.mul(far, x), number(8 * a))
    far = build.sub(build.mul(far, x), number(4 * a))
    let isFar = build.compare(.lt, x, number(2))
    return build.select(build.compare(.le, x, number(1)), near, build.select(isFar, far, number(0)))
  }
}
