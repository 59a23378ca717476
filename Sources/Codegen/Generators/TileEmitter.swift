import IR
import Support
import Targets

/// A row of a tile: where its left operand starts. Rows that share `base` differ by constants only, which is what
/// lets the machine address them all from one register.
struct TileRow {
  var base: LoopValue
  var offset: Int
}

/// A run along the summed axis that walks the left operand with one step.
///
/// A matmul has one; a convolution has one a filter tap, or one a filter row
/// where neighbouring taps are neighbours in memory. Rows that a tap misses (it
/// falls off the image) are inactive: no product is computed for them.
struct TileSegment {
  /// Elements from the row's start to its first element here; nil where the row is inactive.
  var rowOffsets: [Int?]
  /// Elements of the summed axis.
  var length: Dim
  /// Elements of the left operand from one to the next.
  var step: Dim = 1
  /// The summed axis' index at the start, for the panel.
  var start: Int
}

/// Emits the sums of one tile, rows x vectors, in registers.
struct TileEmitter {
  let scope: KernelScope
  let multiplication: Multiplication
  let left: BufferReference
  let panel: BufferReference
  /// Vectors across of this tile, and of the panel it reads (wider when only a part of it is wanted).
  let vectors: Int
  let panelVectors: Int
  let unroll: Int
  /// A constant number of single steps up to this is written straight instead of as a loop.
  var straightLimit = 4
  /// Bytes of the next panel to fetch ahead in each step, and where that starts in the panel buffer.
  var prefetch: (bytesPerStep: Int, base: LoopValue)?

  private var build: KernelBuilder { scope.build }
  private var panelWidth: Int { panelVectors * multiplication.lanes * multiplication.group }

  /// The sums, row by row.
  func emit(
    rows: [TileRow], segments: [TileSegment], panelBase: LoopValue, continuing: [[LoopValue]]? = nil
  ) -> [[LoopValue]] {
    var sums = continuing ?? rows.map { _ in (0..<vectors).map { _ in build.zero(multiplication.accumulator) } }
    for segment in segments { sums = emit(segment, rows, panelBase, sums) }
    return sums
  }

  private func emit(
    _ segment: TileSegment, _ rows: [TileRow], _ panelBase: LoopValue, _ sums: [[LoopValue]]
  ) -> [[LoopValue]] {
    let group = multiplication.group
    let active = rows.indices.filter { segment.rowOffsets[$0] != nil }
    guard !active.isEmpty else { return sums }
    let panelStart = build.add(panelBase, segment.start / group * panelWidth)

    /// One step at group number `step` (plus the constant `ahead`) for the active rows.
    func step(_ position: LoopValue, _ ahead: Int, _ flat: [LoopValue], count: Int) -> [LoopValue] {
      let panelIndex = build.add(panelStart, build.mul(position, panelWidth))
      let right = (0..<vectors).map {
        multiplication.panelVector(
          build, panel, panelIndex,
          offset: ahead * panelWidth + $0 * multiplication.lanes * multiplication.group)
      }
      var result = flat
      var leftIndices: [LoopValue: LoopValue] = [:]
      for (number, row) in active.enumerated() {
        let offset = segment.rowOffsets[row]!
        let address: Address
        let stepElements = segment.step * group
        if let constant = stepElements.constant {
          let index = leftIndices[rows[row].base] ?? build.add(rows[row].base, build.mul(position, constant))
          leftIndices[rows[row].base] = index
          address = Address(left, index, offset: rows[row].offset + offset + ahead * constant)
        } else {
          let moved = build.mul(build.add(position, ahead), scope.index(stepElements))
          address = Address(left, build.add(rows[row].base, moved), offset: rows[row].offset + offset)
        }
        let spread = multiplication.broadcast(build, address, count: count)
        for vector in 0..<vectors {
          let at = number * vectors + vector
          result[at] = multiplication.multiplyAdd(build, result[at], spread, right[vector])
        }
      }
      return result
    }

    var flat = active.flatMap { sums[$0] }
    if let length = segment.length.constant {
      let groups = length / group
      if groups <= straightLimit {
        for ahead in 0..<groups { flat = step(build.index(0), ahead, flat, count: group) }
      } else {
        let whole = groups / unroll * unroll
        flat = build.forLoop(build.index(0), build.index(whole), step: unroll, carrying: flat) { position, carried in
          emitPrefetch(segment, position)
          var next = carried
          for ahead in 0..<unroll { next = step(position, ahead, next, count: group) }
          return next
        }
        for ahead in whole..<groups { flat = step(build.index(0), ahead, flat, count: group) }
      }
      if length % group != 0 { flat = step(build.index(0), groups, flat, count: length % group) }
    } else {
      let length = scope.index(segment.length)
      let groups = build.div(length, build.index(group))
      let whole = build.mul(build.div(groups, build.index(unroll)), unroll)
      flat = build.forLoop(build.index(0), whole, step: unroll, carrying: flat) { position, carried in
        emitPrefetch(segment, position)
        var next = carried
        for ahead in 0..<unroll { next = step(position, ahead, next, count: group) }
        return next
      }
      flat = build.forLoop(whole, groups, carrying: flat) { position, carried in
        step(position, 0, carried, count: group)
      }
      for rest in 1..<Swift.max(group, 1) {
        let matches = build.compare(.eq, build.rem(length, build.index(group)), build.index(rest))
        let before = flat
        flat = build.ifElse(matches, then: { step(groups, 0, before, count: rest) }, else: { before })
      }
    }
    var result = sums
    for (number, row) in active.enumerated() {
      result[row] = Array(flat[number * vectors..<(number + 1) * vectors])
    }
    return result
  }

  private func emitPrefetch(_ segment: TileSegment, _ position: LoopValue) {
    guard let prefetch else { return }
    let bytesPerElement = multiplication.panelScalar.bytes
    let start = segment.start / multiplication.group * prefetch.bytesPerStep
    let perTurn = prefetch.bytesPerStep * unroll
    let base = build.add(prefetch.base, build.mul(position, prefetch.bytesPerStep / bytesPerElement))
    for line in 0..<Swift.max(1, (perTurn + 63) / 64) {
      build.prefetch(Address(panel, base, offset: (start + line * 64) / bytesPerElement))
    }
  }
}
