import IR
import Support

/// Linear attention, head by head. Columns of the state have nothing to do with each other, so a few vectors of them go
/// through all steps at a time, and their state stays in the nearest cache.
struct LinearAttentionGenerator {
  let scale: Double
  let batch: Dim
  let steps: Dim
  let keyHeads: Dim
  /// Heads of queries that share one head of keys.
  let group: Int
  let width: Dim
  let columns: Dim
  let element: ElementType
  let q: BufferID
  let k: BufferID
  let v: BufferID
  /// With one number a row, or one for all.
  let decay: (buffer: BufferID, isWide: Bool)?
  let rate: BufferID?
  let start: BufferID?
  /// `[batch, heads, width, columns]` in the register type.
  let state: BufferID
  let result: BufferID
  let last: BufferID

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(element)
    let wide = try ElementForm(form.register == .f64 ? .f64 : .f32)
    func read(_ buffer: BufferID) -> BufferReference { scope.buffer(buffer, form.memory, .read) }
    let (queries, keys, values) = (read(q), read(k), read(v))
    let decays = decay.map { read($0.buffer) }
    let (rates, starts) = (rate.map(read), start.map(read))
    let states = scope.buffer(state, form.register, .update)
    let results = scope.buffer(result, form.memory, .write)
    let lasts = scope.buffer(last, form.memory, .write)
    let lanes = scope.profile.lanes(bits: form.register.bits)
    let zero = build.index(0)
    let (rows, line) = (scope.index(width), scope.index(columns))
    scope.work = batch * steps * keyHeads * width * columns * (2 + group)
    scope.partition(batch * keyHeads) { from, to in
      build.forEach(from, to) { unit in
        let place = scope.decompose(unit, [batch, keyHeads])
        let base = build.mul(unit, build.mul(rows, line))
        scope.span(zero, line, lanes: lanes) { column, lanes, mask in
          let type = LoopType(form.register, lanes: lanes)
          func cell(_ row: LoopValue) -> LoopValue { build.add(build.add(base, build.mul(row, line)), column) }
          func stored(_ row: LoopValue) -> LoopValue {
            scope.read(states, wide, at: cell(row), stride: 1, lanes: lanes, mask: mask)
          }
          func scalar(_ source: BufferReference, _ position: LoopValue) -> LoopValue {
            build.splat(scope.read(source, form, at: position, stride: 1, lanes: 1), lanes: lanes)
          }
          build.forEach(zero, rows) { row in
            let value =
              starts.map { scope.read($0, form, at: cell(row), stride: 1, lanes: lanes, mask: mask) }
              ?? build.zero(type)
            scope.write(value, to: states, wide, at: cell(row), stride: 1, mask: mask)
          }
          build.forEach(zero, scope.index(steps)) { step in
            let moment = build.add(build.mul(place[0], scope.index(steps)), step)
            let head = build.add(build.mul(moment, scope.index(keyHeads)), place[1])
            let keyRow = build.mul(head, rows)
            /// The state as it decays.
            func decayed(_ row: LoopValue) -> LoopValue {
              guard let decays, let decay else { return stored(row) }
              return build.mul(stored(row), scalar(decays, decay.isWide ? build.add(keyRow, row) : head))
            }
            let given = build.add(build.mul(head, line), column)
            var new = scope.read(values, form, at: given, stride: 1, lanes: lanes, mask: mask)
            if let rates {
              let known = build.forLoop(zero, rows, carrying: [build.zero(type)]) { row, carried in
                let value = decayed(row)
                scope.write(value, to: states, wide, at: cell(row), stride: 1, mask: mask)
                return [scope.math.multiplyAdd(scalar(keys, build.add(keyRow, row)), value, carried[0])]
              }[0]
              new = build.mul(build.sub(new, known), scalar(rates, head))
            }
            let firstQuery = build.mul(head, group)
            let sums = build.forLoop(
              zero, rows, carrying: (0..<group).map { _ in build.zero(type) }
            ) { row, carried in
              let before = rates == nil ? decayed(row) : stored(row)
              let value = scope.math.multiplyAdd(scalar(keys, build.add(keyRow, row)), new, before)
              scope.write(value, to: states, wide, at: cell(row), stride: 1, mask: mask)
              return (0..<group).map { number in
                let at = build.add(build.mul(build.add(firstQuery, number), rows), row)
                return scope.math.multiplyAdd(scalar(queries, at), value, carried[number])
              }
            }
            for (number, sum) in sums.enumerated() {
              let at = build.add(build.mul(build.add(firstQuery, number), line), column)
              scope.write(
                build.mul(sum, build.float(scale, type)), to: results, form, at: at, stride: 1, mask: mask)
            }
          }
          build.forEach(zero, rows) { row in
            scope.write(stored(row), to: lasts, form, at: cell(row), stride: 1, mask: mask)
          }
        }
      }
    }
  }
}
