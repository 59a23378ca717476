import IR
import Support

/// Emits the walk over one sequence of a recurrent op.
struct RecurrenceEmitter {
  private let scope: KernelScope
  private let plan: RecurrenceGenerator
  private let form: ElementForm
  /// What is computed and not stored for others: in the register type.
  private let wide: ElementForm
  private let lengthForm: ElementForm?
  private let inputs: BufferReference
  private let weights: BufferReference
  private let bias: BufferReference?
  private let lengths: BufferReference?
  private let start: BufferReference?
  private let cellStart: BufferReference?
  private let peepholes: BufferReference?
  private let scratch: BufferReference
  private let result: BufferReference
  private let last: BufferReference
  private let cellLast: BufferReference?
  private let hidden: LoopValue
  private let lanes: Int

  private var build: KernelBuilder { scope.build }
  private var gates: Int { plan.cell.gates }

  /// Vectors of hidden units at once: several, so that additions do not wait for each other.
  private var vectors: Int { gates >= 3 ? 2 : 4 }

  /// Places within `scratch`.
  private enum Slot: Int { case first, second, cell, gate }

  init(_ scope: KernelScope, _ plan: RecurrenceGenerator) throws(Diagnostic) {
    let form = try ElementForm(plan.element)
    self.scope = scope
    self.plan = plan
    self.form = form
    wide = try ElementForm(form.register == .f64 ? .f64 : .f32)
    lengthForm = try plan.lengths.map { view throws(Diagnostic) in try ElementForm(view.element) }
    inputs = scope.buffer(plan.inputs, form.register, .read)
    weights = scope.buffer(plan.weights, form.memory, .read)
    bias = plan.bias.map { scope.buffer($0, form.memory, .read) }
    if let view = plan.lengths, let lengthForm {
      lengths = scope.buffer(view.buffer, lengthForm.memory, .read)
    } else {
      lengths = nil
    }
    start = plan.start.map { scope.buffer($0, form.memory, .read) }
    cellStart = plan.cellStart.map { scope.buffer($0, form.memory, .read) }
    peepholes = plan.peepholes.map { scope.buffer($0, form.memory, .read) }
    scratch = scope.buffer(plan.scratch, form.register, .update)
    result = scope.buffer(plan.result, form.memory, .write)
    last = scope.buffer(plan.last, form.memory, .write)
    cellLast = plan.cellLast.map { scope.buffer($0, form.memory, .write) }
    hidden = scope.index(plan.hidden)
    lanes = scope.profile.lanes(bits: form.register.bits)
  }

  func emitSequence(_ sequence: LoopValue) {
    let zero = build.index(0)
    let (steps, batch) = (scope.index(plan.steps), scope.index(plan.batch))
    let stateRow = build.mul(build.add(build.mul(build.index(plan.direction), batch), sequence), hidden)
    func slot(_ slot: Slot) -> LoopValue {
      build.mul(build.add(build.mul(sequence, 4), slot.rawValue), hidden)
    }
    fill(slot(.first), from: start, stateRow)
    if plan.cellLast != nil { fill(slot(.cell), from: cellStart, stateRow) }
    var length = steps
    if let lengths, let lengthForm, let view = plan.lengths {
      let value = scope.read(lengths, lengthForm, at: sequence, stride: 1, lanes: 1)
      length = build.convert(view.element.isSigned ? .signExtend : .zeroExtend, value, to: .index)
      let fits = build.binary(
        .and, build.compare(.ge, length, zero), build.compare(.le, length, steps))
      build.check(fits, status: KernelStatus.indexOutOfRange)
    }
    func resultRow(_ step: LoopValue) -> LoopValue {
      let row = build.add(build.mul(step, plan.directions), plan.direction)
      return build.mul(build.add(build.mul(row, batch), sequence), hidden)
    }
    build.forEach(zero, length) { step in
      let place = plan.isReversed ? build.sub(build.sub(length, build.index(1)), step) : step
      let input = build.mul(build.add(build.mul(place, batch), sequence), build.mul(hidden, gates))
      let parity = build.rem(step, build.index(2))
      let before = build.add(slot(.first), build.mul(parity, hidden))
      let after = build.add(slot(.first), build.mul(build.sub(build.index(1), parity), hidden))
      emitStep(
        input: input, before: before, after: after, cell: slot(.cell), gate: slot(.gate), row: resultRow(place))
    }
    build.forEach(length, steps) { step in
      let row = resultRow(step)
      scope.span(zero, hidden, lanes: lanes) { unit, lanes, mask in
        let nothing = build.zero(LoopType(form.register, lanes: lanes))
        scope.write(nothing, to: result, form, at: build.add(row, unit), stride: 1, mask: mask)
      }
    }
    let final = build.add(slot(.first), build.mul(build.rem(length, build.index(2)), hidden))
    hand(final, to: last, stateRow)
    if let cellLast { hand(slot(.cell), to: cellLast, stateRow) }
  }

  private func fill(_ target: LoopValue, from source: BufferReference?, _ row: LoopValue) {
    scope.span(build.index(0), hidden, lanes: lanes) { unit, lanes, mask in
      let value =
        source.map { scope.read($0, form, at: build.add(row, unit), stride: 1, lanes: lanes, mask: mask) }
        ?? build.zero(LoopType(form.register, lanes: lanes))
      scope.write(value, to: scratch, wide, at: build.add(target, unit), stride: 1, mask: mask)
    }
  }

  private func hand(_ source: LoopValue, to target: BufferReference, _ row: LoopValue) {
    scope.span(build.index(0), hidden, lanes: lanes) { unit, lanes, mask in
      let value = scope.read(scratch, wide, at: build.add(source, unit), stride: 1, lanes: lanes, mask: mask)
      scope.write(value, to: target, form, at: build.add(row, unit), stride: 1, mask: mask)
    }
  }

  // MARK: A step

  private func emitStep(
    input: LoopValue, before: LoopValue, after: LoopValue, cell: LoopValue, gate: LoopValue, row: LoopValue
  ) {
    /// Stores a new state, for the next step and as a result.
    func keep(_ value: LoopValue, _ unit: LoopValue, _ mask: LoopValue?) {
      scope.write(value, to: scratch, wide, at: build.add(after, unit), stride: 1, mask: mask)
      scope.write(value, to: result, form, at: build.add(row, unit), stride: 1, mask: mask)
    }
    func old(_ place: LoopValue, _ unit: LoopValue, _ lanes: Int, _ mask: LoopValue?) -> LoopValue {
      scope.read(scratch, wide, at: build.add(place, unit), stride: 1, lanes: lanes, mask: mask)
    }
    switch plan.cell {
    case .plain:
      products(input, before, [0]) { unit, lanes, mask, sums in
        keep(activated(0, sums[0].joined(build)), unit, mask)
      }
    case .lstm(let inputForget):
      products(input, before, [0, 1, 2, 3]) { unit, lanes, mask, sums in
        let memory = old(cell, unit, lanes, mask)
        func gate(_ number: Int, _ cell: LoopValue) -> LoopValue {
          activated(0, peephole(number, unit, cell, mask, sums[number].joined(build)))
        }
        let one = build.float(1, build.type(memory))
        let enters = gate(0, memory)
        let stays = inputForget ? build.sub(one, enters) : gate(2, memory)
        let new = activated(1, sums[3].joined(build))
        let next = scope.math.multiplyAdd(stays, memory, build.mul(enters, new))
        scope.write(next, to: scratch, wide, at: build.add(cell, unit), stride: 1, mask: mask)
        keep(build.mul(gate(1, next), apply(plan.functions[2], next)), unit, mask)
      }
    case .gru(linearBeforeReset: true):
      products(input, before, [0, 1, 2]) { unit, lanes, mask, sums in
        let update = activated(0, sums[0].joined(build))
        let reset = activated(0, sums[1].joined(build))
        let product = scope.math.multiplyAdd(reset, sums[2].state, sums[2].input)
        keep(mixed(update, activated(1, product), old(before, unit, lanes, mask)), unit, mask)
      }
    case .gru(linearBeforeReset: false):
      // The reset gate weighs the whole state before any of it is multiplied.
      products(input, before, [0, 1]) { unit, lanes, mask, sums in
        let update = activated(0, sums[0].joined(build))
        let reset = activated(0, sums[1].joined(build))
        scope.write(update, to: scratch, wide, at: build.add(gate, unit), stride: 1, mask: mask)
        let weighed = build.mul(reset, old(before, unit, lanes, mask))
        scope.write(weighed, to: scratch, wide, at: build.add(cell, unit), stride: 1, mask: mask)
      }
      products(input, cell, [2]) { unit, lanes, mask, sums in
        let new = activated(1, sums[0].joined(build))
        keep(mixed(old(gate, unit, lanes, mask), new, old(before, unit, lanes, mask)), unit, mask)
      }
    }
  }

  private func mixed(_ update: LoopValue, _ new: LoopValue, _ old: LoopValue) -> LoopValue {
    let one = build.float(1, build.type(update))
    return build.add(build.mul(build.sub(one, update), new), build.mul(update, old))
  }

  private func peephole(
    _ gate: Int, _ unit: LoopValue, _ cell: LoopValue, _ mask: LoopValue?, _ sum: LoopValue
  ) -> LoopValue {
    guard let peepholes else { return sum }
    let place = build.add(build.add(build.mul(hidden, plan.direction * 3 + gate), unit), 0)
    let weight = scope.read(
      peepholes, form, at: place, stride: 1, lanes: build.type(cell).lanes, mask: mask)
    return scope.math.multiplyAdd(weight, cell, sum)
  }

  /// What the input and the state give to a gate, each with its bias.
  private struct Sums {
    var input: LoopValue
    var state: LoopValue
    func joined(_ build: KernelBuilder) -> LoopValue { build.add(input, state) }
  }

  /// The sums of some gates, for vectors of hidden units.
  private func products(
    _ input: LoopValue, _ state: LoopValue, _ wanted: [Int],
    _ body: (_ unit: LoopValue, _ lanes: Int, _ mask: LoopValue?, _ sums: [Sums]) -> Void
  ) {
    let rowLength = build.mul(hidden, gates)
    let matrix = build.mul(build.mul(hidden, rowLength), plan.direction)
    func emit(_ unit: LoopValue, _ vectors: Int, _ lanes: Int, _ mask: LoopValue?) {
      let type = LoopType(form.register, lanes: lanes)
      func column(_ gate: Int, _ vector: Int) -> LoopValue {
        build.add(build.add(build.mul(hidden, gate), unit), vector * lanes)
      }
      func biased(_ part: Int, _ gate: Int, _ vector: Int) -> LoopValue {
        guard let bias else { return build.zero(type) }
        let start = build.mul(rowLength, plan.direction * 2 + part)
        return scope.read(
          bias, form, at: build.add(start, column(gate, vector)), stride: 1, lanes: lanes, mask: mask)
      }
      let initial = (0..<vectors).flatMap { vector in wanted.map { biased(1, $0, vector) } }
      let total = build.forLoop(build.index(0), hidden, carrying: initial) { k, carried in
        let value = scope.read(scratch, wide, at: build.add(state, k), stride: 1, lanes: 1)
        let spread = build.splat(value, lanes: lanes)
        let row = build.add(matrix, build.mul(k, rowLength))
        var next: [LoopValue] = []
        for vector in 0..<vectors {
          for gate in wanted {
            let weight = scope.read(
              weights, form, at: build.add(row, column(gate, vector)), stride: 1, lanes: lanes, mask: mask)
            next.append(scope.math.multiplyAdd(spread, weight, carried[next.count]))
          }
        }
        return next
      }
      for vector in 0..<vectors {
        let sums = wanted.enumerated().map { number, gate in
          let given = scope.read(
            inputs, wide, at: build.add(input, column(gate, vector)), stride: 1, lanes: lanes, mask: mask)
          return Sums(input: build.add(given, biased(0, gate, vector)), state: total[vector * wanted.count + number])
        }
        body(build.add(unit, vector * lanes), lanes, mask, sums)
      }
    }
    let zero = build.index(0)
    let whole = scope.wholeVectors(zero, hidden, lanes: lanes * vectors)
    build.forEach(zero, whole, step: lanes * vectors) { emit($0, vectors, lanes, nil) }
    scope.span(whole, hidden, lanes: lanes) { emit($0, 1, $1, $2) }
  }

  // MARK: Functions

  private func activated(_ number: Int, _ x: LoopValue) -> LoopValue {
    apply(plan.functions[number], plan.clip > 0 ? scope.math.clamp(x, -plan.clip, plan.clip) : x)
  }

  private func apply(_ activation: RecurrentActivation, _ x: LoopValue) -> LoopValue {
    let math = scope.math
    let zero = build.zero(build.type(x))
    let (alpha, beta) = (math.constant(activation.alpha, x), math.constant(activation.beta, x))
    func negative(_ value: LoopValue) -> LoopValue { build.select(build.compare(.lt, x, zero), value, x) }
    switch activation.function {
    case .relu: return negative(zero)
    case .tanh: return math.tanh(x)
    case .sigmoid: return math.sigmoid(x)
    case .affine: return math.multiplyAdd(alpha, x, beta)
    case .softsign: return build.div(x, build.add(math.constant(1, x), math.magnitude(x)))
    case .softplus:
      // log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), which does not overflow.
      let tail = math.log(build.add(math.constant(1, x), math.exp(build.sub(zero, math.magnitude(x)))))
      return build.add(build.max(zero, x), tail)
    case .elu: return negative(build.mul(alpha, math.expm1(x)))
    case .leakyRelu: return negative(build.mul(alpha, x))
    case .thresholdedRelu: return build.select(build.compare(.gt, x, alpha), x, zero)
    case .scaledTanh: return build.mul(alpha, math.tanh(build.mul(beta, x)))
    case .hardSigmoid: return math.clamp(math.multiplyAdd(alpha, x, beta), 0, 1)
    }
  }
}
