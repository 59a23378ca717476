import IR
import Support

/// The steps of a recurrent op, for one direction: what the weights make of the input is there already, in one matrix
/// for all steps.
///
/// A few sequences of the batch go together, on one thread. The state of a step is read element by element and multiplied
/// with rows of the packed weights, so that lanes are hidden units; all gates of a unit come out together and are joined
/// in registers.
struct RecurrenceGenerator {
  /// How the gates of a step make the next state.
  enum Cell {
    case plain
    case gru(linearBeforeReset: Bool)
    case lstm(inputForget: Bool)

    var gates: Int {
      switch self {
      case .plain: 1
      case .gru: 3
      case .lstm: 4
      }
    }
  }
  let cell: Cell
  let element: ElementType
  let direction: Int
  let directions: Int
  let isReversed: Bool
  let functions: [RecurrentActivation]
  let clip: Double
  let steps: Dim
  let batch: Dim
  let hidden: Dim
  /// `[steps, batch, gates * hidden]`, in the register type.
  let inputs: BufferID
  /// See `layout`.
  let weights: BufferID
  let layout: RecurrentLayout
  /// `[directions, 2 * gates * hidden]`.
  let bias: BufferID?
  let lengths: TensorView?
  /// `[directions, batch, hidden]`: the state to start from, and the cell's.
  let start: BufferID?
  let cellStart: BufferID?
  /// `[directions, 3 * hidden]`.
  let peepholes: BufferID?
  /// `[batch, 4, hidden]` in the register type: the state before and after a step, the cell, and a gate.
  let scratch: BufferID
  /// `[steps, directions, batch, hidden]`, then the last states.
  let result: BufferID
  let last: BufferID
  let cellLast: BufferID?

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let emitter = try RecurrenceEmitter(scope, self)
    scope.work = steps * batch * hidden * hidden * cell.gates
    // As even as possible where the batch is known; else full groups, and what is left one by one.
    let most = layout.sequences
    if let count = batch.constant {
      let groups = Swift.max(1, (count + most - 1) / most)
      let (size, larger) = (count / groups, count % groups)
      scope.partition(Dim(groups)) { from, to in
        build.forEach(from, build.min(to, build.index(larger))) {
          emitter.emit(build.mul($0, size + 1), size + 1)
        }
        build.forEach(build.max(from, build.index(larger)), to) {
          emitter.emit(build.add(build.mul($0, size), larger), size)
        }
      }
      return
    }
    let full = batch.floorDivided(by: Dim(most))
    scope.partition(full + batch.modulo(Dim(most))) { from, to in
      let border = scope.index(full)
      build.forEach(from, build.min(to, border)) { emitter.emit(build.mul($0, most), most) }
      build.forEach(build.max(from, border), to) {
        emitter.emit(build.add($0, build.mul(border, most - 1)), 1)
      }
    }
  }
}

/// How the weights of a state lie: blocks of hidden units, and in each, for every element of the state, one vector after
/// the other, gate by gate.
struct RecurrentLayout: Hashable {
  let gates: Int
  let hidden: Dim
  let directions: Int
  /// Hidden units in a block, the last one being filled up with zeros.
  let units: Int
  let vectors: Int
  /// Sequences that go together.
  let sequences: Int

  init(gates: Int, hidden: Dim, directions: Int, lanes: Int, registers: Int) {
    self.gates = gates
    self.hidden = hidden
    self.directions = directions
    let most = gates >= 3 ? 2 : 4
    vectors = Swift.max(1, Swift.min(most, registers / (4 * gates)))
    units = vectors * lanes
    // Sums of all sequences, one element of the state of each, and a vector of weights share the registers.
    sequences = Swift.max(1, (registers - 1) / (gates * vectors + 1))
  }

  var blocks: Dim { hidden.ceilDivided(by: Dim(units)) }
  /// Elements for one element of the state within a block.
  var row: Int { gates * units }
  /// Elements of one direction.
  var elements: Dim { blocks * hidden * row }

  /// Packs constant weights `[directions, gates * hidden, hidden]` of elements of `width` bytes.
  func pack(_ source: ByteView, width: Int) -> ByteView {
    guard let hidden = hidden.constant, let blocks = blocks.constant else {
      preconditionFailure("only weights of constant size are packed ahead of time")
    }
    return source.withBytes { from in
      ByteView(count: directions * blocks * hidden * row * width) { to in
        for direction in 0..<directions {
          for gate in 0..<gates {
            for unit in 0..<hidden {
              let line = ((direction * gates + gate) * hidden + unit) * hidden
              let place =
                (direction * blocks + unit / units) * hidden * row + gate * units + unit % units
              for k in 0..<hidden {
                for byte in 0..<width {
                  to[(place + k * row) * width + byte] = from[(line + k) * width + byte]
                }
              }
            }
          }
        }
      }
    }
  }
}
