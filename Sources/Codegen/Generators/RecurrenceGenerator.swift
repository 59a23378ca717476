import IR
import Support

/// The steps of a recurrent op, for one direction: what the weights make of the input is there already, in one matrix
/// for all steps.
///
/// Every sequence of the batch goes its own way, on one thread. The state of a step is read element by element and
/// multiplied with rows of the turned weights, so that lanes are hidden units; all gates of a unit come out together and
/// are joined in registers.
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
  /// `[directions, hidden, gates * hidden]`.
  let weights: BufferID
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
    let emitter = try RecurrenceEmitter(scope, self)
    scope.work = steps * batch * hidden * hidden * cell.gates
    scope.partition(batch) { from, to in
      scope.build.forEach(from, to) { emitter.emitSequence($0) }
    }
  }
}
