import IR
import Support

/// Adds up, for each element of a transposed convolution's result, what the elements of the input give to it.
///
/// What they give is either computed already, as a matrix with one row a pixel of the input and one column a filter tap
/// and channel, or, with one filter a channel, a product that is made here. Taps that reach a pixel of the result are
/// `stride` apart, so that none is tried in vain where filters are not dilated.
struct ColumnGatherGenerator {
  enum Source {
    /// `[pixels, groups, taps, columns]`.
    case columns(BufferID, element: ElementType)
    /// `[pixels, channels]` times `[taps, channels]`.
    case products(TensorView, filters: BufferID)
  }
  let source: Source
  /// Extents of the batch and the spatial axes, three of them.
  let batch: Dim
  let input: [Dim]
  let output: [Dim]
  let geometry: WindowGeometry
  let groups: Int
  /// Channels of the result a group; with `products` all of them, in one group.
  let columns: Int
  let bias: BufferID?
  let target: TensorView

  private static let vectors = 4
  private static let elementsPerThread = 16384

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(target.element)
    let sourceForm: ElementForm
    let from: BufferReference
    var filters: BufferReference?
    switch source {
    case .columns(let buffer, let element):
      sourceForm = try ElementForm(element)
      from = scope.buffer(buffer, sourceForm.memory, .read)
    case .products(let image, let weights):
      sourceForm = try ElementForm(image.element)
      from = scope.buffer(image.buffer, sourceForm.memory, .read)
      filters = scope.buffer(weights, sourceForm.memory, .read)
    }
    let biasFrom = bias.map { scope.buffer($0, form.memory, .read) }
    let to = scope.buffer(target.buffer, form.memory, .write)
    let lanes = scope.profile.lanes(bits: form.register.bits)
    let zero = build.index(0)
    let taps = geometry.window.reduce(1, *)
    let channels = groups * columns
    let pixels = output.reduce(batch, *)
    scope.partition(pixels, grain: Swift.max(1, Self.elementsPerThread / Swift.max(1, channels * taps))) { low, high in
      build.forEach(low, high) { pixel in
        let place = scope.decompose(pixel, [batch] + output)
        build.forEach(zero, build.index(groups)) { group in
          /// The sums of neighbouring vectors of channels, from `column` of the group on.
          func sums(_ column: LoopValue, _ vectors: Int, _ lanes: Int, _ mask: LoopValue?) {
            let channel = build.add(build.mul(group, columns), column)
            let type = LoopType(form.register, lanes: lanes)
            let initial = (0..<vectors).map { number -> LoopValue in
              guard let biasFrom else { return build.zero(type) }
              let at = build.add(channel, number * lanes)
              return scope.read(biasFrom, form, at: at, stride: 1, lanes: lanes, mask: mask)
            }
            let total = overTaps(scope, place, initial) { pixel, tap, carried in
              (0..<vectors).map { number in
                if let filters {
                  let at = build.add(channel, number * lanes)
                  let x = scope.read(
                    from, sourceForm, at: build.add(build.mul(pixel, columns), at), stride: 1, lanes: lanes, mask: mask)
                  let w = scope.read(
                    filters, sourceForm, at: build.add(build.mul(tap, columns), at), stride: 1, lanes: lanes, mask: mask
                  )
                  return scope.math.multiplyAdd(x, w, carried[number])
                }
                let row = build.add(build.mul(build.add(build.mul(pixel, groups), group), taps), tap)
                let at = build.add(build.add(build.mul(row, columns), column), number * lanes)
                let value = scope.read(from, sourceForm, at: at, stride: 1, lanes: lanes, mask: mask)
                return build.add(carried[number], value)
              }
            }
            let out = build.add(build.mul(pixel, channels), channel)
            for (number, value) in total.enumerated() {
              scope.write(
                value, to: to, form, at: build.add(out, number * lanes), stride: 1, mask: mask)
            }
          }
          let block = Self.vectors * lanes
          let whole = build.index(columns / block * block)
          build.forEach(zero, whole, step: block) { sums($0, Self.vectors, lanes, nil) }
          scope.span(whole, build.index(columns), lanes: lanes) { sums($0, 1, $1, $2) }
        }
      }
    }
  }

  /// Runs `body` for each pixel of the input that reaches the pixel at `place`, and the tap through which it does.
  private func overTaps(
    _ scope: KernelScope, _ place: [LoopValue], _ initial: [LoopValue],
    _ body: (_ pixel: LoopValue, _ tap: LoopValue, _ carried: [LoopValue]) -> [LoopValue]
  ) -> [LoopValue] {
    let build = scope.build
    func axis(_ number: Int, _ pixel: LoopValue, _ tap: LoopValue, _ carried: [LoopValue]) -> [LoopValue] {
      guard number < 3 else { return body(pixel, tap, carried) }
      let (stride, dilation, window) = (
        geometry.strides[number], geometry.dilations[number], geometry.window[number]
      )
      let reach = build.add(place[number + 1], geometry.before[number])
      let extent = scope.index(input[number])
      let isPhased = dilation == 1
      let first = isPhased ? build.rem(reach, build.index(stride)) : build.index(0)
      return build.forLoop(first, build.index(window), step: isPhased ? stride : 1, carrying: carried) {
        index, carried in
        let distance = build.sub(reach, build.mul(index, dilation))
        let position = build.div(distance, build.index(stride))
        var meets = build.binary(
          .and, build.compare(.ge, distance, build.index(0)), build.compare(.lt, position, extent))
        if !isPhased, stride > 1 {
          meets = build.binary(.and, meets, build.compare(.eq, build.mul(position, stride), distance))
        }
        return build.ifElse(
          meets,
          then: {
            let nextPixel = build.add(build.mul(pixel, extent), position)
            return axis(number + 1, nextPixel, build.add(build.mul(tap, window), index), carried)
          }, else: { carried })
      }
    }
    return axis(0, place[0], build.index(0), initial)
  }
}
