import IR
import Support
import TestSupport
import Testing

@testable import Codegen

@Suite struct AttentionLoweringTests {
  private func closeness(_ element: ElementType) -> Closeness {
    switch element {
    case .f16: .within(relative: 0x1p-9, absolute: 0x1p-10)
    case .bf16: .within(relative: 0x1p-7, absolute: 0x1p-7)
    case .f64: .within(relative: 0x1p-40, absolute: 0x1p-40)
    default: .within(relative: 0x1p-16, absolute: 0x1p-16)
    }
  }

  /// Extents: batch, heads, heads of keys, queries, keys, width, width of values.
  private func attend(
    _ kind: Attention, _ extents: [Int], _ element: ElementType = .f32, mask: Tensor? = nil, sinks: Bool = false,
    open: Bool = false, seed: UInt64 = 1
  ) throws {
    var random = Seeded(seed)
    let (b, h, g, n, s, d, e) = (
      extents[0], extents[1], extents[2], extents[3], extents[4], extents[5], extents[6]
    )
    func shape(_ heads: Int, _ positions: Int, _ width: Int) -> [Int] {
      kind.sequenceFirst ? [b, positions, heads, width] : [b, heads, positions, width]
    }
    var inputs = [
      random.tensor(element, shape(h, n, d)), random.tensor(element, shape(g, s, d)),
      random.tensor(element, shape(g, s, e)),
    ]
    let place = kind.sequenceFirst ? 1 : 2
    var types = inputs.map(\.type)
    if open {
      types[0].shape[place] = .symbol("n")
      types[1].shape[place] = .symbol("s")
      types[2].shape[place] = .symbol("s")
    }
    let maskPlace = mask == nil ? nil : inputs.count
    if let mask {
      inputs.append(mask)
      types.append(mask.type)
      if open {
        let rank = mask.shape.count
        if mask.shape[rank - 1] == s { types[3].shape[rank - 1] = .symbol("s") }
        if rank > 1, mask.shape[rank - 2] == n, n > 1 { types[3].shape[rank - 2] = .symbol("n") }
      }
    }
    if sinks {
      inputs.append(random.tensor(element, [h]))
      types.append(TensorType(element, [Dim(h)]))
    }
    try expectLowering(
      "attention \(extents) \(kind)", types, inputs, symbols: ["n": 0...999, "s": 0...999], closeness(element)
    ) { builder, x in
      let maskValue = maskPlace.map { x[$0] }
      return [try builder.add(kind, [x[0], x[1], x[2], maskValue, sinks ? x[x.count - 1] : nil])[0]]
    }
  }

  @Test func shapes() throws {
    for extents in [
      [1, 2, 2, 5, 7, 8, 8], [2, 1, 1, 33, 40, 16, 20], [1, 1, 1, 1, 150, 64, 64], [1, 2, 1, 17, 131, 5, 3],
      [1, 1, 1, 70, 1, 1, 1],
    ] {
      for open in [false, true] {
        try attend(Attention(scale: 0.3), extents, open: open)
        try attend(Attention(scale: 0.3, sequenceFirst: true), extents, open: open)
      }
    }
    try attend(Attention(scale: 1), [1, 2, 2, 3, 0, 4, 4])
    try attend(Attention(scale: 1), [1, 2, 2, 0, 3, 4, 4])
  }

  @Test func sharedKeys() throws {
    for extents in [[1, 6, 2, 1, 20, 8, 8], [2, 4, 1, 9, 12, 16, 16], [1, 8, 2, 5, 140, 4, 8]] {
      for open in [false, true] {
        try attend(Attention(scale: 0.5, after: 0, offset: 3), extents, open: open)
        try attend(Attention(scale: 0.5, before: 4, after: 2, sequenceFirst: true), extents, sinks: true, open: open)
      }
    }
  }

  @Test func limits() throws {
    for (before, after, offset) in [(-1, 0, 0), (-1, 0, 130), (7, 0, 100), (3, 5, 0), (0, 0, -2), (200, -1, 4)] {
      let kind = Attention(scale: 0.2, before: before, after: after, offset: Dim(offset), softCap: 2)
      try attend(kind, [1, 2, 2, 40, 170, 16, 16])
      try attend(kind, [1, 2, 1, 20, 170, 8, 8], open: true)
    }
    var module = Attention(scale: 0.2, after: 0)
    module.offset = .symbol("s") - .symbol("n")
    try attend(module, [1, 1, 1, 9, 30, 8, 8], open: true)
  }

  @Test func masks() throws {
    var random = Seeded(4)
    for shape in [[20, 35], [35], [2, 1, 1, 35], [1, 4, 20, 35], [4, 1, 35], [2, 4, 20, 35], [2, 1, 20, 1]] {
      for element in [ElementType.bool, .f32] {
        let mask = random.tensor(element, shape)
        try attend(Attention(scale: 0.2), [2, 4, 4, 20, 35, 8, 8], mask: mask)
        try attend(Attention(scale: 0.2, after: 3), [2, 4, 2, 20, 35, 8, 8], mask: mask, sinks: true)
        if shape != [2, 1, 20, 1] {
          try attend(Attention(scale: 0.2), [2, 4, 4, 20, 35, 8, 8], mask: mask, open: true)
        }
      }
    }
    // A query that sees nothing.
    let nothing = Tensor(.bool, [3, 5], integers: [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    try attend(Attention(scale: 1), [1, 1, 1, 3, 5, 4, 4], mask: nothing)
  }

  @Test(arguments: [ElementType.f64, .f16, .bf16]) func elements(_ element: ElementType) throws {
    var random = Seeded(5)
    try attend(Attention(scale: 0.2), [1, 2, 2, 9, 21, 16, 12], element)
    try attend(Attention(scale: 0.2, after: 1), [1, 2, 1, 9, 21, 16, 12], element, sinks: true)
    try attend(Attention(scale: 0.2), [1, 2, 2, 9, 21, 8, 8], element, mask: random.tensor(element, [9, 21]))
  }

  @Test func linear() throws {
    var random = Seeded(7)
    for (b, t, h, g, d, e) in [(1, 5, 2, 2, 4, 16), (2, 3, 4, 2, 5, 37), (1, 1, 3, 1, 8, 3)] {
      for (wide, optional) in [(true, 0), (true, 1), (false, 1), (false, 3), (true, 7), (false, 6)] {
        let shapes: [[Int]?] = [
          [b, t, h, d], [b, t, g, d], [b, t, g, e], optional & 1 == 0 ? nil : [b, t, g, wide ? d : 1],
          optional & 2 == 0 ? nil : [b, t, g, 1], optional & 4 == 0 ? nil : [b, g, d, e],
        ]
        for element in [ElementType.f32, .f64, .f16] {
          let inputs = shapes.compactMap { shape in
            shape.map { Tensor(element, $0, doubles: random.tensor(element, $0).doubles().map { $0 / 4 }) }
          }
          let closeness: Closeness =
            element == .f16
            ? .within(relative: 0x1p-9, absolute: 0x1p-12) : .within(relative: 0x1p-16, absolute: 0x1p-18)
          try expectLowering("linear attention \(shapes)", inputs.map(\.type), inputs, closeness) { builder, x in
            var next = 0
            let operands = shapes.map { shape -> ValueID? in
              guard shape != nil else { return nil }
              next += 1
              return x[next - 1]
            }
            return try builder.add(LinearAttention(scale: 0.5), operands)
          }
        }
      }
    }
  }

  @Test func rotations() throws {
    var random = Seeded(6)
    for interleaved in [false, true] {
      for (shape, table) in [
        ([2, 3, 5, 64], [5, 32]), ([2, 3, 5, 20], [2, 1, 5, 10]), ([1, 2, 3, 50], [1, 1, 3, 17]), ([4, 6], [3]),
        ([2, 0, 8], [1, 4]),
      ] {
        for element in [ElementType.f32, .f64, .f16] {
          let inputs = [random.tensor(element, shape), random.tensor(element, table), random.tensor(element, table)]
          try expectLowering(
            "rope \(shape) \(table)", inputs.map(\.type), inputs,
            element == .f16
              ? .within(relative: 0x1p-10, absolute: 0x1p-10) : .within(relative: 0x1p-20, absolute: 0x1p-20)
          ) { builder, x in [try builder.add(Rope(interleaved: interleaved), x[0], x[1], x[2])] }
        }
      }
    }
  }
}
