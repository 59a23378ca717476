import IR
import Support
import TestSupport
import Testing

@testable import Codegen

@Suite struct RecurrentLoweringTests {
  /// Operands of a recurrent op; `with` names the optional ones that are there.
  private func recur(
    _ kind: any RecurrentKind, steps: Int, batch: Int, inputs: Int, hidden: Int, element: ElementType = .f32,
    with optional: Set<Int> = [], open: Bool = false
  ) throws {
    var random = Seeded(UInt64(steps * 100 + hidden))
    let gates = type(of: kind).gates
    let d = kind.direction.count
    var shapes: [Int: [Int]] = [
      0: [steps, batch, inputs], 1: [d, gates * hidden, inputs], 2: [d, gates * hidden, hidden],
      3: [d, 2 * gates * hidden], 5: [d, batch, hidden], 6: [d, batch, hidden],
    ]
    shapes[7] = [d, 3 * hidden]
    var values: [Tensor] = []
    var places: [Int?] = []
    for number in 0..<(gates == 4 ? 8 : 6) {
      guard number < 3 || optional.contains(number) else {
        places.append(nil)
        continue
      }
      places.append(values.count)
      if let shape = shapes[number] {
        let tensor = random.tensor(element, shape)
        // Small weights keep states from saturating.
        let scale = number == 0 ? 1 : 0.3
        values.append(Tensor(element, shape, doubles: tensor.doubles().map { $0 * scale }))
      } else {
        values.append(Tensor(.i32, [batch], integers: (0..<batch).map { max(0, steps - $0) }))
      }
    }
    var types = values.map(\.type)
    if open {
      types[0].shape[0] = .symbol("s")
    }
    let closeness: Closeness =
      switch element {
      case .f16: .within(relative: 0x1p-7, absolute: 0x1p-7)
      case .f64: .within(relative: 0x1p-40, absolute: 0x1p-40)
      default: .within(relative: 0x1p-15, absolute: 0x1p-15)
      }
    try expectLowering(
      "\(kind) \(steps) x \(batch), \(inputs) to \(hidden), \(optional)", types, values, symbols: ["s": 0...99],
      closeness
    ) { builder, x in try builder.add(kind, places.map { $0.map { x[$0] } }) }
  }

  @Test(arguments: RecurrentDirection.allCases) func directions(_ direction: RecurrentDirection) throws {
    for (batch, hidden) in [(1, 5), (3, 16), (2, 37)] {
      for optional in [[], [3], [3, 4, 5], [4, 5, 6, 7]] as [Set<Int>] {
        try recur(LSTM(direction: direction), steps: 4, batch: batch, inputs: 3, hidden: hidden, with: optional)
        try recur(GRU(direction: direction), steps: 4, batch: batch, inputs: 3, hidden: hidden, with: optional)
        try recur(
          GRU(direction: direction, linearBeforeReset: true), steps: 4, batch: batch, inputs: 3, hidden: hidden,
          with: optional)
        try recur(RNN(direction: direction), steps: 4, batch: batch, inputs: 3, hidden: hidden, with: optional)
      }
    }
  }

  @Test func attributes() throws {
    try recur(LSTM(clip: 0.5, inputForget: true), steps: 3, batch: 2, inputs: 4, hidden: 6, with: [3, 7])
    try recur(GRU(clip: 0.25), steps: 3, batch: 2, inputs: 4, hidden: 6, with: [3])
    for function in RecurrentActivation.Function.allCases {
      let text = RecurrentActivation(function, alpha: 0.3, beta: 0.7).text
      try recur(RNN(activations: [text]), steps: 3, batch: 1, inputs: 4, hidden: 6, with: [3])
      try recur(LSTM(activations: ["sigmoid", text, "tanh"]), steps: 2, batch: 1, inputs: 4, hidden: 6)
    }
  }

  @Test func openAndEmpty() throws {
    for steps in [0, 1, 5] {
      try recur(LSTM(direction: .bidirectional), steps: steps, batch: 2, inputs: 4, hidden: 9, with: [3], open: true)
      try recur(GRU(), steps: steps, batch: 2, inputs: 4, hidden: 9, with: [5], open: true)
    }
  }

  @Test(arguments: [ElementType.f16, .f64]) func elements(_ element: ElementType) throws {
    try recur(LSTM(), steps: 3, batch: 2, inputs: 5, hidden: 18, element: element, with: [3, 5, 6, 7])
    try recur(GRU(), steps: 3, batch: 2, inputs: 5, hidden: 18, element: element, with: [3, 5])
  }
}
