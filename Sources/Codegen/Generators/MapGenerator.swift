import IR
import Support
import Targets

/// One element of the result at a time, over any shape and any strides.
///
/// Serves elementwise ops and all movement that is affine in the indices
/// (transpose, slice, broadcast, concat, pad): only the views differ. Axes that
/// every view walks alike are merged, the innermost one is vectorised, the
/// others are split over threads.
struct MapGenerator {
  let shape: [Dim]
  let inputs: [TensorView]
  let outputs: [TensorView]
  /// Lanes that stand for no element must not be computed: an op may fail on them.
  var exactLanes = false
  /// Given the inputs' elements in register form, the outputs'.
  let body: (KernelScope, [LoopValue]) throws(Diagnostic) -> [LoopValue]

  /// Elements of one block of work when a single axis remains.
  private static let chunk = 4096
  /// Elements that make a second thread worth waking.
  private static let elementsPerThread = 16384

  func generate(_ scope: KernelScope, _ profile: Profile) throws(Diagnostic) {
    let build = scope.build
    let (extents, inputStrides, outputStrides) = mergedAxes()
    let inputForms = try inputs.map { view throws(Diagnostic) in try ElementForm(view.element) }
    let outputForms = try outputs.map { view throws(Diagnostic) in try ElementForm(view.element) }
    let sources = inputs.enumerated().map { scope.buffer($1.buffer, inputForms[$0].memory, .read) }
    let targets = outputs.enumerated().map { scope.buffer($1.buffer, outputForms[$0].memory, .write) }
    for (number, output) in outputs.enumerated() {
      for (other, input) in inputs.enumerated()
      where input.offset == output.offset && inputStrides[other] == outputStrides[number]
        && inputForms[other].perByte == 1 && outputForms[number].perByte == 1
      {
        scope.mayOverwrite(input.buffer, with: output.buffer)
      }
    }
    let packed = outputForms.contains { $0.perByte > 1 }
    if packed, extents.count > 1 || outputs.count > 1 {
      throw .unsupported("writing \(outputs[0].element) elements with strides has no code yet")
    }

    let widest = (inputForms + outputForms).map(\.register.bits).max() ?? 32
    let lanes = profile.lanes(bits: Swift.max(8, widest))
    let inner = extents.last ?? 1
    let outer = Array(extents.dropLast())
    var failure: Diagnostic?

    /// Computes `lanes` elements from inner index `i` on.
    func block(_ bases: [LoopValue], _ targetBases: [LoopValue], _ i: LoopValue, _ lanes: Int, _ mask: LoopValue?) {
      guard failure == nil else { return }
      do throws(Diagnostic) {
        let values = inputs.indices.map { number in
          let stride = inputStrides[number].last ?? 0
          let position = build.add(bases[number], build.mul(i, scope.index(stride)))
          return scope.read(
            sources[number], inputForms[number], at: position, stride: stride, lanes: lanes, mask: mask)
        }
        let results = try body(scope, values)
        for number in outputs.indices {
          let stride = outputStrides[number].last ?? 0
          let position = build.add(targetBases[number], build.mul(i, scope.index(stride)))
          if packed {
            let perByte = outputForms[number].perByte
            let elements = (0..<lanes).map { lane in
              lanes == 1 ? results[number] : build.extract(results[number], lane: lane)
            }
            scope.writePacked(
              elements, to: targets[number], outputForms[number], byte: build.div(position, build.index(perByte)))
          } else {
            scope.write(
              results[number], to: targets[number], outputForms[number], at: position, stride: stride, mask: mask)
          }
        }
      } catch { failure = error }
    }

    /// Runs the inner axis from `from` to `to`.
    func row(_ bases: [LoopValue], _ targetBases: [LoopValue], _ from: LoopValue, _ to: LoopValue) {
      if packed {
        // Whole bytes: as many elements as one holds, then the rest one byte of fewer.
        let perByte = outputForms[0].perByte
        let full = build.add(from, build.mul(build.div(build.sub(to, from), build.index(perByte)), perByte))
        build.forEach(from, full, step: perByte) { block(bases, targetBases, $0, perByte, nil) }
        for rest in 1..<perByte {
          let matches = build.compare(.eq, build.sub(to, full), build.index(rest))
          build.ifElse(
            matches,
            then: {
              block(bases, targetBases, full, rest, nil)
              return []
            })
        }
        return
      }
      let count = build.sub(to, from)
      let vectorEnd = build.add(from, build.mul(build.div(count, build.index(lanes)), lanes))
      if lanes > 1 { build.forEach(from, vectorEnd, step: lanes) { block(bases, targetBases, $0, lanes, nil) } }
      let start = lanes > 1 ? vectorEnd : from
      if lanes > 1, !exactLanes, profile.hasMaskedMemory {
        build.forEach(start, to, step: lanes) { i in
          block(bases, targetBases, i, lanes, build.prefixMask(build.sub(to, i), lanes: lanes))
        }
      } else {
        build.forEach(start, to) { block(bases, targetBases, $0, 1, nil) }
      }
    }

    if outer.isEmpty {
      let total = scope.index(inner)
      let chunks = inner.ceilDivided(by: Dim(Self.chunk))
      let bases = inputs.map { scope.index($0.offset) }
      let targetBases = outputs.map { scope.index($0.offset) }
      scope.partition(chunks, grain: Self.elementsPerThread / Self.chunk) { from, to in
        let end = build.min(build.mul(to, Self.chunk), total)
        row(bases, targetBases, build.mul(from, Self.chunk), end)
      }
    } else {
      let units = outer.reduce(Dim(1), *)
      let grain = Swift.max(1, Self.elementsPerThread / Swift.max(1, inner.constant ?? 64))
      scope.partition(units, grain: grain) { from, to in
        build.forEach(from, to) { unit in
          let indices = scope.decompose(unit, outer)
          let bases = inputs.indices.map { scope.position(inputs[$0].offset, indices, inputStrides[$0]) }
          let targetBases = outputs.indices.map { scope.position(outputs[$0].offset, indices, outputStrides[$0]) }
          row(bases, targetBases, build.index(0), scope.index(inner))
        }
      }
    }
    if let failure { throw failure }
  }

  /// Drops axes of extent one and merges neighbours that every view walks as one.
  func mergedAxes() -> (extents: [Dim], inputs: [[Dim]], outputs: [[Dim]]) {
    var extents: [Dim] = []
    var strides: [[Dim]] = Array(repeating: [], count: inputs.count + outputs.count)
    let views = inputs + outputs
    for axis in shape.indices where shape[axis] != 1 {
      let steps = views.map { $0.strides[axis] }
      if let last = extents.last, views.indices.allSatisfy({ strides[$0].last! == steps[$0] * shape[axis] }) {
        extents[extents.count - 1] = last * shape[axis]
        for view in views.indices { strides[view][strides[view].count - 1] = steps[view] }
      } else {
        extents.append(shape[axis])
        for view in views.indices { strides[view].append(steps[view]) }
      }
    }
    return (extents, Array(strides[..<inputs.count]), Array(strides[inputs.count...]))
  }
}
