import IR
import Support

/// Samples regions of images `[N, height, width, C]` and pools the samples.
struct RegionAlignGenerator {
  let op: RegionAlign
  let shape: [Dim]
  let count: Dim
  let image: TensorView
  let regions: TensorView
  let numbers: TensorView
  let target: TensorView

  /// The places of a region along one axis.
  private struct Axis {
    let start: LoopValue
    let bin: LoopValue
    let samples: LoopValue
    let extent: Dim
  }

  /// The neighbours of one place.
  private struct Taps {
    let isInside: LoopValue
    let low: LoopValue
    let high: LoopValue
    let part: LoopValue
  }

  private func axis(
    _ scope: KernelScope, from: LoopValue, to: LoopValue, count: Int, extent: Dim
  ) -> Axis {
    let build = scope.build
    let real = LoopType(.f32)
    func number(_ value: Double) -> LoopValue { build.float(value, real) }
    let scale = number(Double(Float(op.scale)))
    let shift = number(op.halfPixel ? 0.5 : 0)
    let start = build.sub(build.mul(from, scale), shift)
    var length = build.sub(build.sub(build.mul(to, scale), shift), start)
    if !op.halfPixel { length = build.select(build.compare(.gt, length, number(1)), length, number(1)) }
    let bin = build.div(length, number(Double(count)))
    guard op.samples == 0 else { return Axis(start: start, bin: bin, samples: build.index(op.samples), extent: extent) }
    let wanted = build.unary(.ceil, bin)
    let isTooMany = build.compare(.gt, wanted, number(Double(RegionAlign.sampleLimit)))
    build.check(build.unary(.not, isTooMany), status: KernelStatus.indexOutOfRange)
    let samples = build.max(build.convert(.floatToSigned, wanted, to: .index), build.index(0))
    return Axis(start: start, bin: bin, samples: samples, extent: extent)
  }

  private func taps(_ scope: KernelScope, _ axis: Axis, _ place: LoopValue, _ sample: LoopValue) -> Taps {
    let build = scope.build
    let real = LoopType(.f32)
    func number(_ value: Double) -> LoopValue { build.float(value, real) }
    func float(_ value: LoopValue) -> LoopValue { build.convert(.signedToFloat, value, to: real) }
    let offset = build.div(
      build.mul(build.add(float(sample), number(0.5)), axis.bin), float(axis.samples))
    let x = build.add(build.add(axis.start, build.mul(float(place), axis.bin)), offset)
    let extent = scope.index(axis.extent)
    let isInside = build.binary(
      .and, build.compare(.ge, x, number(-1)), build.compare(.le, x, float(extent)))
    let inside = build.select(build.compare(.gt, x, number(0)), x, number(0))
    let most = build.max(build.sub(extent, build.index(1)), build.index(0))
    let low = build.min(build.max(build.convert(.floatToSigned, inside, to: .index), build.index(0)), most)
    let isLast = build.compare(.ge, low, most)
    return Taps(
      isInside: isInside, low: low, high: build.select(isLast, most, build.add(low, 1)),
      part: build.select(isLast, number(0), build.sub(inside, float(low))))
  }

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(image.element)
    let regionForm = try ElementForm(regions.element)
    let indexForm = try ElementForm(numbers.element)
    let targetForm = try ElementForm(target.element)
    let from = scope.buffer(image.buffer, form.memory, .read)
    let boxes = scope.buffer(regions.buffer, regionForm.memory, .read)
    let index = scope.buffer(numbers.buffer, indexForm.memory, .read)
    let to = scope.buffer(target.buffer, targetForm.memory, .write)
    let pixels = shape[1] * shape[2]
    let run = scope.index(shape[3])
    let lanes = scope.profile.lanes(bits: form.register.bits)
    let isEmpty = build.compare(.le, scope.index(pixels), build.index(0))
    build.check(build.unary(.not, isEmpty), status: KernelStatus.indexOutOfRange)
    var failure: Diagnostic?
    scope.partition(count * (op.size[0] * op.size[1]), grain: 16) { first, end in
      build.forEach(first, end) { unit in
        let places = scope.decompose(unit, [count, Dim(op.size[0]), Dim(op.size[1])])
        let raw = scope.read(index, indexForm, positions: build.add(places[0], scope.index(numbers.offset)))
        let number = build.convert(numbers.element.isSigned ? .signExtend : .zeroExtend, raw, to: .index)
        build.check(build.compare(.ult, number, scope.index(shape[0])), status: KernelStatus.indexOutOfRange)
        let corner = build.add(build.mul(places[0], 4), scope.index(regions.offset))
        let edges = (0..<4).map { side -> LoopValue in
          let value = scope.read(boxes, regionForm, positions: build.add(corner, side))
          do throws(Diagnostic) {
            return try scope.convert(value, from: regions.element, to: .f32, saturate: false)
          } catch {
            failure = error
            return value
          }
        }
        let rows = axis(scope, from: edges[1], to: edges[3], count: op.size[0], extent: shape[1])
        let columns = axis(scope, from: edges[0], to: edges[2], count: op.size[1], extent: shape[2])
        let base = build.mul(number, scope.index(pixels))
        let goal = build.add(build.mul(unit, run), scope.index(target.offset))
        scope.span(build.index(0), run, lanes: lanes) { c, lanes, mask in
          let type = LoopType(form.register, lanes: lanes)
          let initial = [build.zero(type), build.index(0)]
          let sums = build.forLoop(build.index(0), rows.samples, carrying: initial) { i, carried in
            let row = taps(scope, rows, places[1], i)
            return build.forLoop(build.index(0), columns.samples, carrying: carried) { j, carried in
              let column = taps(scope, columns, places[2], j)
              let parts = weighted(scope, row, column, type) { y, x in
                let pixel = build.add(base, build.add(build.mul(y, scope.index(shape[2])), x))
                let place = build.add(build.add(build.mul(pixel, run), scope.index(image.offset)), c)
                return scope.read(from, form, at: place, stride: 1, lanes: lanes, mask: mask)
              }
              return [joined(scope, carried, parts), build.index(1)]
            }
          }
          var result = sums[0]
          if !op.max {
            let total = build.max(build.mul(rows.samples, columns.samples), build.index(1))
            let divisor = build.convert(.signedToFloat, total, to: type.with(lanes: 1))
            result = build.div(result, build.splat(divisor, lanes: lanes))
          }
          scope.write(
            scope.rounded(result, as: target.element), to: to, targetForm, at: build.add(goal, c), stride: 1, mask: mask
          )
        }
      }
    }
    if let failure { throw failure }
  }

  /// The four neighbours, each times its weight.
  private func weighted(
    _ scope: KernelScope, _ row: Taps, _ column: Taps, _ type: LoopType,
    _ read: (LoopValue, LoopValue) -> LoopValue
  ) -> [LoopValue] {
    let build = scope.build
    let scalar = type.with(lanes: 1)
    let one = build.float(1, scalar)
    let isInside = build.binary(.and, row.isInside, column.isInside)
    let v = build.convert(.floatExtend, row.part, to: scalar)
    let h = build.convert(.floatExtend, column.part, to: scalar)
    let (v0, h0) = (build.sub(one, v), build.sub(one, h))
    let corners = [
      (row.low, column.low, v0, h0), (row.low, column.high, v0, h), (row.high, column.low, v, h0),
      (row.high, column.high, v, h),
    ]
    return corners.map { y, x, a, b in
      let factor = build.select(isInside, build.mul(a, b), build.zero(scalar))
      return build.mul(build.splat(factor, lanes: type.lanes), read(y, x))
    }
  }

  private func joined(_ scope: KernelScope, _ carried: [LoopValue], _ parts: [LoopValue]) -> LoopValue {
    let build = scope.build
    guard op.max else {
      let sum = build.add(build.add(parts[0], parts[1]), build.add(parts[2], parts[3]))
      return build.add(carried[0], sum)
    }
    func greater(_ a: LoopValue, _ b: LoopValue) -> LoopValue {
      build.select(build.compare(.ne, a, a), a, build.max(a, b))
    }
    let greatest = greater(greater(parts[0], parts[1]), greater(parts[2], parts[3]))
    // The first sample counts as it is.
    return build.select(
      build.compare(.eq, carried[1], build.index(0)), greatest, greater(carried[0], greatest))
  }
}
