import IR
import Support
import Targets

/// Convolutions of any rank over images whose size only the run knows: one output pixel at a time, with the window
/// clipped to the image by loop bounds.
struct GeneralConvolutionGenerator {
  let multiplication: Multiplication
  /// Of the image and of the result, batch first, channels last.
  let imageShape: [Dim]
  let resultShape: [Dim]
  let geometry: WindowGeometry
  let groupChannels: Int
  let groups: Int
  let layout: PanelLayout
  let unroll: Int
  let image: BufferID
  let imageStrides: [Dim]
  let panels: BufferID
  let epilogue: Epilogue

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let emitter = try EpilogueEmitter(scope, epilogue)
    let left = scope.buffer(image, multiplication.leftScalar, .read)
    let panel = scope.buffer(panels, multiplication.panelScalar, .read, alignment: 64)
    let spatial = geometry.window.count
    let taps = geometry.window.reduce(1, *)
    let depthPerTap = (layout.depth.constant ?? 0) / taps
    let pixels = Array(resultShape.dropLast())
    let strides = imageStrides
    let zero = build.index(0)
    scope.work = pixels.reduce(Dim(1), *) * (taps * groupChannels * groups) * layout.columns

    /// The sums of one pixel, axis by axis inwards.
    func accumulate(
      _ axis: Int, _ base: LoopValue, _ tap: LoopValue, _ pixel: [LoopValue], _ panelBase: LoopValue, _ vectors: Int,
      _ sums: [LoopValue]
    ) -> [LoopValue] {
      if axis == spatial {
        let emitter = TileEmitter(
          scope: scope, multiplication: multiplication, left: left, panel: panel, vectors: vectors,
          panelVectors: vectors, unroll: unroll)
        let start = build.add(
          panelBase,
          build.mul(tap, depthPerTap / multiplication.group * vectors * multiplication.lanes * multiplication.group))
        let segment = TileSegment(rowOffsets: [0], length: Dim(groupChannels), start: 0)
        return emitter.emit(
          rows: [TileRow(base: base, offset: 0)], segments: [segment], panelBase: start, continuing: [sums])[0]
      }
      let (stride, dilation) = (geometry.strides[axis], geometry.dilations[axis])
      // The input index under tap 0; taps from `low` to `high` meet the input.
      let origin = build.sub(build.mul(pixel[axis + 1], stride), build.index(geometry.before[axis]))
      let low = build.max(zero, build.ceilDiv(build.sub(zero, origin), dilation))
      let reach = build.sub(scope.index(imageShape[axis + 1]), origin)
      let high = build.min(build.index(geometry.window[axis]), build.ceilDiv(build.max(reach, zero), dilation))
      return build.forLoop(low, high, carrying: sums) { number, carried in
        let position = build.add(origin, build.mul(number, dilation))
        let next = build.add(base, build.mul(position, scope.index(strides[axis + 1])))
        let nextTap = build.add(build.mul(tap, geometry.window[axis]), number)
        return accumulate(axis + 1, next, nextTap, pixel, panelBase, vectors, carried)
      }
    }

    scope.partition(pixels.reduce(Dim(1), *)) { from, to in
      build.forEach(from, to) { unit in
        let pixel = scope.decompose(unit, pixels)
        let bases = emitter.bases(Array(pixel.dropLast()))
        build.forEach(zero, build.index(groups)) { group in
          let imageBase = build.add(
            build.mul(pixel[0], scope.index(strides[0])), build.mul(group, groupChannels))
          layout.forEachPanel(scope, zero, scope.index(layout.panels)) { place in
            let panelBase = build.add(
              build.mul(group, scope.index(layout.elements)),
              build.mul(place.number, scope.index(layout.panelElements)))
            let initial = (0..<place.vectors).map { _ in build.zero(multiplication.accumulator) }
            let sums = accumulate(0, imageBase, zero, pixel, panelBase, place.vectors, initial)
            let column = build.add(
              build.mul(group, scope.index(layout.columns)), build.mul(place.number, layout.width))
            for (vector, sum) in sums.enumerated() {
              emitter.store(
                sum, bases: bases, row: pixel[spatial], rowOffset: 0, column: column,
                columnOffset: vector * multiplication.lanes,
                mask: place.mask(of: vector, lanes: multiplication.lanes, build))
            }
          }
        }
      }
    }
    if let failure = emitter.failure { throw failure }
  }
}
