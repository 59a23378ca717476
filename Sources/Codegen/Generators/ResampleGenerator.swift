import IR
import Support

/// Makes elements along the middle axis of `[outer, extent, inner]` of those that a table names, with weights.
struct ResampleGenerator {
  /// What the elements of a result are made of. Tables are laid out tap by tap.
  struct Table {
    let taps: Dim
    /// Of i64; behind them, if there is an outside, a flag for each element that lies there.
    let indices: BufferID
    /// Of the scalar that is computed with; nil where there is one tap of weight one.
    let weights: BufferID?
    let hasOutside: Bool
  }

  let outer: Dim
  let extent: Dim
  let inner: Dim
  let count: Dim
  let table: Table
  /// f32 or f64.
  let computed: ElementType
  /// What the target's elements stand for: integers of less than a byte lie in one each.
  let element: ElementType
  let extrapolation: Double
  let data: TensorView
  let target: TensorView
  /// Elements of the target from one place along the axis to the next.
  let targetStep: Dim
  /// Few enough to keep their weights in registers.
  private static let keptTaps = 4

  private struct Buffers {
    let from: BufferReference
    let form: ElementForm
    let to: BufferReference
    let targetForm: ElementForm
    let indices: BufferReference
    let weights: BufferReference?
    let scalar: LoopScalar
  }

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let form = try ElementForm(data.element)
    let targetForm = try ElementForm(target.element)
    let scalar = try ElementForm(computed).register
    let buffers = Buffers(
      from: scope.buffer(data.buffer, form.memory, .read), form: form,
      to: scope.buffer(target.buffer, targetForm.memory, .write), targetForm: targetForm,
      indices: scope.buffer(table.indices, .i64, .read), weights: table.weights.map { scope.buffer($0, scalar, .read) },
      scalar: scalar)
    var failure: Diagnostic?
    func guarded(_ body: () throws(Diagnostic) -> Void) {
      do throws(Diagnostic) { try body() } catch { failure = error }
    }
    let lanes = scope.profile.lanes(bits: Swift.max(scalar.bits, form.register.bits))
    if inner == 1 {
      scope.partition(outer, grain: KernelScope.grain(count * table.taps)) { low, high in
        scope.build.forEach(low, high) { row in
          guarded { () throws(Diagnostic) in try along(scope, buffers, row, lanes: scope.profile.lanes(bits: 64)) }
        }
      }
    } else {
      scope.partition(outer * count, grain: KernelScope.grain(inner * table.taps)) { low, high in
        scope.build.forEach(low, high) { unit in
          guarded { () throws(Diagnostic) in try across(scope, buffers, unit, lanes: lanes) }
        }
      }
    }
    if let failure { throw failure }
  }

  /// Lanes are neighbours along the axis itself.
  private func along(
    _ scope: KernelScope, _ buffers: Buffers, _ row: LoopValue, lanes: Int
  ) throws(Diagnostic) {
    let build = scope.build
    let base = build.add(build.mul(row, scope.index(extent)), scope.index(data.offset))
    let goal = build.add(build.mul(row, scope.index(count)), scope.index(target.offset))
    let flags = scope.index(table.taps * count)
    var failure: Diagnostic?
    scope.span(build.index(0), scope.index(count), lanes: lanes) { place, lanes, mask in
      let wide = LoopType(.i64, lanes: lanes)
      let real = LoopType(buffers.scalar, lanes: lanes)
      func element(_ tap: LoopValue) -> (LoopValue, LoopValue) {
        let position = build.add(build.mul(tap, scope.index(count)), place)
        let index = build.load(wide, Address(buffers.indices, position), mask: mask)
        let positions = build.add(index, build.splat(base, lanes: lanes))
        return (scope.read(buffers.from, buffers.form, positions: positions, mask: mask), position)
      }
      do throws(Diagnostic) {
        var value: LoopValue
        if let weights = buffers.weights {
          var problem: Diagnostic?
          let sum = build.forLoop(
            build.index(0), scope.index(table.taps), carrying: [build.zero(real)]
          ) { tap, carried in
            let (raw, position) = element(tap)
            let weight = build.load(real, Address(weights, position), mask: mask)
            do throws(Diagnostic) {
              let number = try scope.convert(raw, from: data.element, to: computed, saturate: true)
              return [build.add(carried[0], build.mul(weight, number))]
            } catch {
              problem = error
              return carried
            }
          }
          if let problem { throw problem }
          value = try finished(scope, sum[0])
        } else {
          value = element(build.index(0)).0
        }
        if table.hasOutside {
          let flags = build.load(wide, Address(buffers.indices, build.add(flags, place)), mask: mask)
          let isOutside = build.compare(.ne, flags, build.zero(wide))
          value = build.select(isOutside, try constant(scope, lanes), value)
        }
        scope.write(value, to: buffers.to, buffers.targetForm, at: build.add(goal, place), stride: 1, mask: mask)
      } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Lanes are neighbours behind the axis, which share weights.
  private func across(
    _ scope: KernelScope, _ buffers: Buffers, _ unit: LoopValue, lanes: Int
  ) throws(Diagnostic) {
    let build = scope.build
    let places = scope.decompose(unit, [outer, count])
    let run = scope.index(inner)
    let goal = build.add(build.mul(unit, scope.index(targetStep)), scope.index(target.offset))
    func row(_ tap: LoopValue) -> (source: LoopValue, weight: LoopValue?) {
      let position = build.add(build.mul(tap, scope.index(count)), places[1])
      let index = build.load(.index, Address(buffers.indices, position))
      let line = build.add(build.mul(places[0], scope.index(extent)), index)
      let source = build.add(build.mul(line, run), scope.index(data.offset))
      return (source, buffers.weights.map { build.load(LoopType(buffers.scalar), Address($0, position)) })
    }
    let known = table.taps.constant ?? Int.max
    let kept = known <= Self.keptTaps ? (0..<known).map { row(build.index($0)) } : []
    var flag: LoopValue?
    if table.hasOutside {
      let position = build.add(scope.index(table.taps * count), places[1])
      flag = build.load(.index, Address(buffers.indices, position))
    }
    var failure: Diagnostic?
    scope.span(build.index(0), run, lanes: lanes) { i, lanes, mask in
      let real = LoopType(buffers.scalar, lanes: lanes)
      func read(_ source: LoopValue) -> LoopValue {
        scope.read(buffers.from, buffers.form, at: build.add(source, i), stride: 1, lanes: lanes, mask: mask)
      }
      func joined(_ sum: LoopValue, _ row: (source: LoopValue, weight: LoopValue?)) throws(Diagnostic) -> LoopValue {
        let number = try scope.convert(read(row.source), from: data.element, to: computed, saturate: true)
        guard let weight = row.weight else { return number }
        return build.add(sum, build.mul(build.splat(weight, lanes: lanes), number))
      }
      do throws(Diagnostic) {
        var value: LoopValue
        if buffers.weights == nil {
          value = read(kept[0].source)
        } else if !kept.isEmpty {
          var sum = build.zero(real)
          for row in kept { sum = try joined(sum, row) }
          value = try finished(scope, sum)
        } else {
          var problem: Diagnostic?
          let sum = build.forLoop(
            build.index(0), scope.index(table.taps), carrying: [build.zero(real)]
          ) { tap, carried in
            do throws(Diagnostic) { return [try joined(carried[0], row(tap))] } catch {
              problem = error
              return carried
            }
          }
          if let problem { throw problem }
          value = try finished(scope, sum[0])
        }
        if let flag {
          let isOutside = build.compare(.ne, flag, build.index(0))
          value = build.select(isOutside, try constant(scope, lanes), value)
        }
        scope.write(value, to: buffers.to, buffers.targetForm, at: build.add(goal, i), stride: 1, mask: mask)
      } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// What was computed, as an element of the target.
  private func finished(_ scope: KernelScope, _ sum: LoopValue) throws(Diagnostic) -> LoopValue {
    let whole = element.isFloat ? sum : scope.build.unary(.rint, sum)
    return try scope.convert(whole, from: computed, to: element, saturate: false)
  }

  private func constant(_ scope: KernelScope, _ lanes: Int) throws(Diagnostic) -> LoopValue {
    let build = scope.build
    let form = try ElementForm(target.element)
    let type = LoopType(form.register, lanes: lanes)
    let tensor = Tensor(target.element, [1], doubles: [extrapolation])
    if form.register.isFloat { return build.float(tensor.doubles()[0], type) }
    return build.integer(tensor.integers()[0], type)
  }
}
