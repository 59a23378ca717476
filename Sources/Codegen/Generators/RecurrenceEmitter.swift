import IR
import Support

/// Emits the walk over some sequences of a recurrent op.
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
  /// `[sequences, gates, units]` of one block.
  private let sums: BufferReference
  private let hidden: LoopValue
  private let lanes: Int

  private var build: KernelBuilder { scope.build }
  private var gates: Int { plan.cell.gates }

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
    let layout = plan.layout
    sums = scope.build.local("sums", form.register, count: (layout.sequences + 1) * layout.row)
    hidden = scope.index(plan.hidden)
    lanes = scope.profile.lanes(bits: form.register.bits)
  }

  /// What holds for one sequence throughout its steps.
  private struct Sequence {
    var number: LoopValue
    /// Where its states start among those given and handed out.
    var stateRow: LoopValue
    var length: LoopValue
    /// Where its own part of `scratch` starts.
    var base: LoopValue
  }
  /// Where the parts of one sequence lie in one step.
  private struct Place {
    var input: LoopValue
    var before: LoopValue
    var after: LoopValue
    var cell: LoopValue
    var gate: LoopValue
    var row: LoopValue
    /// Whether the sequence still goes on; nil where all do.
    var isOn: LoopValue?
  }

  /// Sequences `first ..< first + count`.
  func emit(_ first: LoopValue, _ count: Int) {
    let zero = build.index(0)
    let (steps, batch) = (scope.index(plan.steps), scope.index(plan.batch))
    let sequences = (0..<count).map { offset -> Sequence in
      let number = build.add(first, offset)
      let row = build.mul(build.add(build.mul(build.index(plan.direction), batch), number), hidden)
      return Sequence(
        number: number, stateRow: row, length: length(of: number),
        base: build.mul(build.mul(number, 4), hidden))
    }
    func slot(_ sequence: Sequence, _ slot: Slot) -> LoopValue {
      build.add(sequence.base, build.mul(hidden, slot.rawValue))
    }
    func resultRow(_ sequence: Sequence, _ step: LoopValue) -> LoopValue {
      let row = build.add(build.mul(step, plan.directions), plan.direction)
      return build.mul(build.add(build.mul(row, batch), sequence.number), hidden)
    }
    for sequence in sequences {
      fill(slot(sequence, .first), from: start, sequence.stateRow)
      if plan.cellLast != nil { fill(slot(sequence, .cell), from: cellStart, sequence.stateRow) }
    }
    let longest = sequences.dropFirst().reduce(sequences[0].length) { build.max($0, $1.length) }
    build.forEach(zero, plan.lengths == nil ? steps : longest) { step in
      let parity = build.rem(step, build.index(2))
      let places = sequences.map { sequence -> Place in
        // What has ended repeats its last step, which nobody keeps.
        let last = build.sub(sequence.length, build.index(1))
        let reached = plan.lengths == nil ? step : build.max(zero, build.min(step, last))
        let position = plan.isReversed ? build.max(zero, build.sub(last, reached)) : reached
        let input = build.mul(
          build.add(build.mul(position, batch), sequence.number), build.mul(hidden, gates))
        let first = slot(sequence, .first)
        return Place(
          input: input, before: build.add(first, build.mul(parity, hidden)),
          after: build.add(first, build.mul(build.sub(build.index(1), parity), hidden)),
          cell: slot(sequence, .cell), gate: slot(sequence, .gate),
          row: resultRow(sequence, position),
          isOn: plan.lengths == nil ? nil : build.compare(.lt, step, sequence.length))
      }
      emitStep(places)
    }
    for sequence in sequences {
      if plan.lengths != nil {
        build.forEach(sequence.length, steps) { step in
          let row = resultRow(sequence, step)
          scope.span(zero, hidden, lanes: lanes) { unit, lanes, mask in
            let nothing = build.zero(LoopType(form.register, lanes: lanes))
            scope.write(nothing, to: result, form, at: build.add(row, unit), stride: 1, mask: mask)
          }
        }
      }
      let parity = build.rem(sequence.length, build.index(2))
      hand(
        build.add(slot(sequence, .first), build.mul(parity, hidden)), to: last, sequence.stateRow)
      if let cellLast { hand(slot(sequence, .cell), to: cellLast, sequence.stateRow) }
    }
  }

  private func length(of sequence: LoopValue) -> LoopValue {
    let steps = scope.index(plan.steps)
    guard let lengths, let lengthForm, let view = plan.lengths else { return steps }
    let value = scope.read(lengths, lengthForm, at: sequence, stride: 1, lanes: 1)
    let length = build.convert(view.element.isSigned ? .signExtend : .zeroExtend, value, to: .index)
    let fits = build.binary(
      .and, build.compare(.ge, length, build.index(0)), build.compare(.le, length, steps))
    build.check(fits, status: KernelStatus.indexOutOfRange)
    return length
  }

  private func fill(_ target: LoopValue, from source: BufferReference?, _ row: LoopValue) {
    scope.span(build.index(0), hidden, lanes: lanes) { unit, lanes, mask in
      let value =
        source.map {
          scope.read($0, form, at: build.add(row, unit), stride: 1, lanes: lanes, mask: mask)
        }
        ?? build.zero(LoopType(form.register, lanes: lanes))
      scope.write(value, to: scratch, wide, at: build.add(target, unit), stride: 1, mask: mask)
    }
  }

  private func hand(_ source: LoopValue, to target: BufferReference, _ row: LoopValue) {
    scope.span(build.index(0), hidden, lanes: lanes) { unit, lanes, mask in
      let value = scope.read(
        scratch, wide, at: build.add(source, unit), stride: 1, lanes: lanes, mask: mask)
      scope.write(value, to: target, form, at: build.add(row, unit), stride: 1, mask: mask)
    }
  }

  // MARK: A step

  private func emitStep(_ places: [Place]) {
    /// Stores a new state, for the next step and as a result.
    func keep(_ place: Place, _ value: LoopValue, _ unit: LoopValue, _ mask: LoopValue?) {
      scope.write(value, to: scratch, wide, at: build.add(place.after, unit), stride: 1, mask: mask)
      scope.write(value, to: result, form, at: build.add(place.row, unit), stride: 1, mask: mask)
    }
    func old(_ start: LoopValue, _ unit: LoopValue, _ lanes: Int, _ mask: LoopValue?) -> LoopValue {
      scope.read(scratch, wide, at: build.add(start, unit), stride: 1, lanes: lanes, mask: mask)
    }
    switch plan.cell {
    case .plain:
      products(places, \.before, [0]) { place, unit, lanes, mask, sums in
        keep(place, activated(0, sums[0].joined(build)), unit, mask)
      }
    case .lstm(let inputForget):
      products(places, \.before, [0, 1, 2, 3]) { place, unit, lanes, mask, sums in
        let memory = old(place.cell, unit, lanes, mask)
        func gate(_ number: Int, _ cell: LoopValue) -> LoopValue {
          activated(0, peephole(number, unit, cell, mask, sums[number].joined(build)))
        }
        let one = build.float(1, build.type(memory))
        let enters = gate(0, memory)
        let stays = inputForget ? build.sub(one, enters) : gate(2, memory)
        let new = activated(1, sums[3].joined(build))
        let next = scope.math.multiplyAdd(stays, memory, build.mul(enters, new))
        scope.write(next, to: scratch, wide, at: build.add(place.cell, unit), stride: 1, mask: mask)
        keep(place, build.mul(gate(1, next), apply(plan.functions[2], next)), unit, mask)
      }
    case .gru(linearBeforeReset: true):
      products(places, \.before, [0, 1, 2]) { place, unit, lanes, mask, sums in
        let update = activated(0, sums[0].joined(build))
        let reset = activated(0, sums[1].joined(build))
        let product = scope.math.multiplyAdd(reset, sums[2].state, sums[2].input)
        keep(
          place, mixed(update, activated(1, product), old(place.before, unit, lanes, mask)), unit,
          mask)
      }
    case .gru(linearBeforeReset: false):
      // The reset gate weighs the whole state before any of it is multiplied.
      products(places, \.before, [0, 1]) { place, unit, lanes, mask, sums in
        let update = activated(0, sums[0].joined(build))
        let reset = activated(0, sums[1].joined(build))
        scope.write(
          update, to: scratch, wide, at: build.add(place.gate, unit), stride: 1, mask: mask)
        let weighed = build.mul(reset, old(place.before, unit, lanes, mask))
        scope.write(
          weighed, to: scratch, wide, at: build.add(place.cell, unit), stride: 1, mask: mask)
      }
      products(places, \.cell, [2]) { place, unit, lanes, mask, sums in
        let new = activated(1, sums[0].joined(build))
        let update = old(place.gate, unit, lanes, mask)
        keep(place, mixed(update, new, old(place.before, unit, lanes, mask)), unit, mask)
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

  /// The sums of some gates, for vectors of hidden units of all sequences.
  private func products(
    _ places: [Place], _ state: KeyPath<Place, LoopValue>, _ wanted: [Int],
    _ body: (_ place: Place, _ unit: LoopValue, _ lanes: Int, _ mask: LoopValue?, _ sums: [Sums]) ->
      Void
  ) {
    let layout = plan.layout
    let type = LoopType(form.register, lanes: lanes)
    let perPlace = layout.vectors * wanted.count
    let matrix = build.mul(scope.index(layout.elements), plan.direction)
    build.forEach(build.index(0), scope.index(layout.blocks)) { block in
      let panel = build.add(matrix, build.mul(block, scope.index(plan.hidden * layout.row)))
      let initial = places.flatMap { _ in (0..<perPlace).map { _ in build.zero(type) } }
      let total = build.forLoop(build.index(0), hidden, carrying: initial) { k, carried in
        let row = build.add(panel, build.mul(k, layout.row))
        let spread = places.map { place in
          let value = scope.read(scratch, wide, at: build.add(place[keyPath: state], k), stride: 1, lanes: 1)
          return build.splat(value, lanes: lanes)
        }
        var next = carried
        for (order, gate) in wanted.enumerated() {
          for vector in 0..<layout.vectors {
            let offset = gate * layout.units + vector * lanes
            let line = scope.read(weights, form, at: build.add(row, offset), stride: 1, lanes: lanes)
            for number in places.indices {
              let place = number * perPlace + order * layout.vectors + vector
              next[place] = scope.math.multiplyAdd(spread[number], line, carried[place])
            }
          }
        }
        return next
      }
      // What follows works on the sums from memory, so that one piece of code serves all vectors.
      for (number, sum) in total.enumerated() {
        build.store(
          sum, Address(sums, nil, offset: number * lanes), alignment: lanes * form.register.bytes)
      }
      let first = build.mul(block, layout.units)
      let end = build.min(build.add(first, layout.units), hidden)
      for (number, place) in places.enumerated() {
        func finish() {
          scope.span(first, end, lanes: lanes) { unit, lanes, mask in
            let within = build.sub(unit, first)
            let found = wanted.enumerated().map { order, gate in
              let at = build.add(within, (number * wanted.count + order) * layout.units)
              return gateSums(place, gate, unit, lanes, mask, at: at)
            }
            body(place, unit, lanes, mask, found)
          }
        }
        if let isOn = place.isOn {
          build.ifElse(
            isOn,
            then: {
              finish()
              return []
            })
        } else {
          finish()
        }
      }
    }
  }

  /// What a gate gets at hidden units `unit ...`; its sums lie at `at`.
  private func gateSums(
    _ place: Place, _ gate: Int, _ unit: LoopValue, _ lanes: Int, _ mask: LoopValue?, at: LoopValue
  ) -> Sums {
    let column = build.add(build.mul(hidden, gate), unit)
    func biased(_ part: Int, _ value: LoopValue) -> LoopValue {
      guard let bias else { return value }
      let start = build.mul(build.mul(hidden, gates), plan.direction * 2 + part)
      let addend = scope.read(
        bias, form, at: build.add(start, column), stride: 1, lanes: lanes, mask: mask)
      return build.add(value, addend)
    }
    let given = scope.read(
      inputs, wide, at: build.add(place.input, column), stride: 1, lanes: lanes, mask: mask)
    let sum = build.load(LoopType(form.register, lanes: lanes), Address(sums, at))
    return Sums(input: biased(0, given), state: biased(1, sum))
  }

  // MARK: Functions

  private func activated(_ number: Int, _ x: LoopValue) -> LoopValue {
    apply(plan.functions[number], plan.clip > 0 ? scope.math.clamp(x, -plan.clip, plan.clip) : x)
  }

  private func apply(_ activation: RecurrentActivation, _ x: LoopValue) -> LoopValue {
    let math = scope.math
    let zero = build.zero(build.type(x))
    let (alpha, beta) = (math.constant(activation.alpha, x), math.constant(activation.beta, x))
    func negative(_ value: LoopValue) -> LoopValue {
      build.select(build.compare(.lt, x, zero), value, x)
    }
    switch activation.function {
    case .relu: return negative(zero)
    case .tanh: return math.tanh(x)
    case .sigmoid: return math.sigmoid(x)
    case .affine: return math.multiplyAdd(alpha, x, beta)
    case .softsign: return build.div(x, build.add(math.constant(1, x), math.magnitude(x)))
    case .softplus:
      // log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), which does not overflow.
      let tail = math.log(
        build.add(math.constant(1, x), math.exp(build.sub(zero, math.magnitude(x)))))
      return build.add(build.max(zero, x), tail)
    case .elu: return negative(build.mul(alpha, math.expm1(x)))
    case .leakyRelu: return negative(build.mul(alpha, x))
    case .thresholdedRelu: return build.select(build.compare(.gt, x, alpha), x, zero)
    case .scaledTanh: return build.mul(alpha, math.tanh(build.mul(beta, x)))
    case .hardSigmoid: return math.clamp(math.multiplyAdd(alpha, x, beta), 0, 1)
    }
  }
}
