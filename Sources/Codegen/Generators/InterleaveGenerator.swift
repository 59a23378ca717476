import IR
import Support
import Targets

/// Copies between a few planes and elements that lie interleaved: an image of three channels to or from channels last.
///
/// As many vectors as there are planes are loaded, their elements picked apart by shuffles, and as many stored.
struct InterleaveGenerator {
  private let extents: [Dim]
  private let source: TensorView
  private let target: TensorView
  /// The axis of the planes, and the one that planes run along.
  private let planeAxis: Int
  private let longAxis: Int
  private let planes: Int
  private let form: ElementForm
  private let lanes: Int

  /// Each vector stored is put together from all that were loaded.
  private static let mostPlanes = 8

  /// Nil when the copy is none of these.
  init?(_ copy: MapGenerator, _ profile: Profile) throws(Diagnostic) {
    guard let turn = try TransposedCopy(copy) else { return nil }
    form = turn.form
    lanes = Swift.min(16, profile.lanes(bits: form.memory.bits))
    let (last, axis) = (turn.extents.count - 1, turn.axis)
    if let count = turn.extents[last].constant, turn.target.strides[axis] == Dim(count) {
      (planeAxis, longAxis, planes) = (last, axis, count)
    } else if let count = turn.extents[axis].constant, turn.source.strides[last] == Dim(count) {
      (planeAxis, longAxis, planes) = (axis, last, count)
    } else {
      return nil
    }
    let isLong = turn.extents[longAxis].constant.map { [lanes] in $0 >= lanes } ?? true
    guard (2...Self.mostPlanes).contains(planes), planes < lanes, isLong else { return nil }
    (extents, source, target) = (turn.extents, turn.source, turn.target)
  }

  func generate(_ scope: KernelScope) {
    let build = scope.build
    let from = scope.buffer(source.buffer, form.memory, .read)
    let to = scope.buffer(target.buffer, form.memory, .write)
    let others = extents.indices.filter { $0 != planeAxis && $0 != longAxis }
    let blocks = extents[longAxis].ceilDivided(by: Dim(lanes))
    let units = others.reduce(blocks) { $0 * extents[$1] }
    scope.partition(units, grain: Swift.max(1, 16384 / (lanes * planes))) { low, high in
      build.forEach(low, high) { unit in
        let first = build.mul(build.rem(unit, scope.index(blocks)), lanes)
        let indices = scope.decompose(build.div(unit, scope.index(blocks)), others.map { extents[$0] })
        func base(_ view: TensorView) -> LoopValue {
          let other = scope.position(view.offset, indices, others.map { view.strides[$0] })
          return build.add(other, build.mul(first, scope.index(view.strides[longAxis])))
        }
        let (sourceBase, targetBase) = (base(source), base(target))
        let rest = build.sub(scope.index(extents[longAxis]), first)
        build.ifElse(
          build.compare(.ge, rest, build.index(lanes)),
          then: {
            move(scope, from, sourceBase, to, targetBase)
            return []
          },
          else: {
            copy(scope, from, sourceBase, to, targetBase, rest)
            return []
          })
      }
    }
  }

  /// One vector of every plane.
  private func move(
    _ scope: KernelScope, _ from: BufferReference, _ sourceBase: LoopValue, _ to: BufferReference,
    _ targetBase: LoopValue
  ) {
    let build = scope.build
    /// Vector `number` of a side: one of a plane, or one of the interleaved elements.
    func place(_ view: TensorView, _ base: LoopValue, _ number: Int) -> LoopValue {
      let isPlanar = view.strides[longAxis] == 1
      return build.add(base, isPlanar ? scope.index(view.strides[planeAxis] * number) : build.index(number * lanes))
    }
    let vectors = (0..<planes).map {
      build.load(LoopType(form.memory, lanes: lanes), Address(from, place(source, sourceBase, $0)))
    }
    for number in 0..<planes {
      let picks = (0..<lanes).map { lane -> (vector: Int, lane: Int) in
        if source.strides[longAxis] == 1 {
          let element = number * lanes + lane
          return (element % planes, element / planes)
        }
        let element = lane * planes + number
        return (element / lanes, element % lanes)
      }
      build.store(build.picked(picks, from: vectors), Address(to, place(target, targetBase, number)))
    }
  }

  /// What is left of the planes, one element at a time.
  private func copy(
    _ scope: KernelScope, _ from: BufferReference, _ sourceBase: LoopValue, _ to: BufferReference,
    _ targetBase: LoopValue, _ count: LoopValue
  ) {
    let build = scope.build
    build.forEach(build.index(0), count) { index in
      for plane in 0..<planes {
        func place(_ view: TensorView, _ base: LoopValue) -> LoopValue {
          let along = build.add(base, build.mul(index, scope.index(view.strides[longAxis])))
          return build.add(along, scope.index(view.strides[planeAxis] * plane))
        }
        let value = build.load(LoopType(form.memory), Address(from, place(source, sourceBase)))
        build.store(value, Address(to, place(target, targetBase)))
      }
    }
  }
}
