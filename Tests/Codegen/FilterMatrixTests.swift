import IR
import Support
import TestSupport
import Testing

@testable import Codegen

/// Convolutions whose filters are the matrix `[kernel * C / groups, O]`.
@Suite struct FilterMatrixTests {
  private struct Case {
    var image: [Int]
    var kernel: [Int]
    var filters: Int
    var groups = 1
    var kind = Conv()
  }

  private let cases = [
    Case(image: [1, 6, 5, 3], kernel: [3, 3], filters: 20),
    Case(image: [2, 6, 5, 8], kernel: [1, 1], filters: 5),
    Case(
      image: [1, 7, 7, 6], kernel: [3, 2], filters: 9, groups: 3, kind: Conv(strides: [2, 1], padding: [1, 0, 1, 1])),
    Case(image: [1, 6, 6, 10], kernel: [3, 3], filters: 10, groups: 10),
    Case(image: [1, 11, 4], kernel: [4], filters: 3, kind: Conv(dilations: [2])),
    Case(image: [1, 3, 4, 5, 2], kernel: [2, 2, 2], filters: 4),
  ]

  @Test(arguments: [ElementType.f32, .i8, .f16]) func matrices(_ element: ElementType) throws {
    var random = Seeded(31)
    for test in cases {
      let depth = test.kernel.reduce(test.image[test.image.count - 1] / test.groups, *)
      let x = random.tensor(element, test.image)
      let w = random.tensor(element, [depth, test.filters])
      var kind = test.kind
      kind.kernel = test.kernel
      kind.groups = test.groups
      let name = "\(element) \(test.image) by \(test.kernel)"
      let closeness: Closeness =
        element == .f32
        ? .within(relative: 1e-5, absolute: 1e-5)
        : element == .f16 ? .within(relative: 0x1p-9, absolute: 0x1p-9) : .exact
      try expectLowering(name + " given", [x.type, w.type], [x, w], closeness) { builder, x in
        [try builder.add(kind, x)[0]]
      }
      for layout in [nil, PackedLayout(columns: 8), PackedLayout(columns: 4, group: 2)] {
        let weight = try layout.map { try packed(w, $0) } ?? w
        try expectLowering("\(name) \(layout?.description ?? "")", [x.type], [x], closeness) { builder, x in
          builder.module.add(Weight(name: "w", tensor: weight))
          return [try builder.add(kind, [x[0], try builder.weight("w")])[0]]
        }
      }
    }
  }

  private func packed(_ matrix: Tensor, _ layout: PackedLayout) throws -> Tensor {
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    let width = (matrix.storage?.bits ?? 8) / 8
    let bytes = ByteView(count: layout.storedElements(rows: rows, columns: columns) * width) { target in
      for row in 0..<rows {
        for column in 0..<columns {
          let place = layout.position(row: row, column: column, rows: rows)
          for byte in 0..<width {
            target[place * width + byte] = matrix.bytes[(row * columns + column) * width + byte]
          }
        }
      }
    }
    return try Tensor(element: matrix.element, shape: matrix.shape, layout: layout, bytes: bytes)
  }
}
