import IR
import Support

/// How a packed right operand lies in memory: panels of `vectors` vectors of columns, back to back.
///
/// Within a panel the summed axis runs outermost, in groups: element (k, n) lies at
/// `(k / group * width + n) * group + k % group`. The last panel is only as many
/// vectors wide as it needs; what is missing of its last vector and of the last
/// group is zero.
struct PanelLayout: Hashable {
  var vectors: Int
  var lanes: Int
  var group: Int
  /// The summed axis.
  var depth: Dim
  var columns: Dim

  /// Bytes of panels that stay cached while rows pass by. More than that is walked panel by panel, so that each is read
  /// once, and fetched ahead.
  static let cachedBytes = 256 << 10

  /// Columns of a full panel.
  var width: Int { vectors * lanes }
  var paddedDepth: Dim { depth.ceilDivided(by: Dim(group)) * group }
  /// Elements of a full panel.
  var panelElements: Dim { paddedDepth * width }
  var fullPanels: Dim { columns.floorDivided(by: Dim(width)) }
  var restColumns: Dim { columns.modulo(Dim(width)) }
  /// All panels, the narrow one included.
  var panels: Dim { columns.ceilDivided(by: Dim(width)) }
  /// Elements of one packed matrix.
  var elements: Dim { columns.ceilDivided(by: Dim(lanes)) * lanes * paddedDepth }

  /// Packs a constant matrix of `width`-byte elements. `rowStride` and `columnStride` say where element (k, n) lies
  /// in `source`, in elements from `offset` on.
  func pack(
    _ source: ByteView, elementBytes: Int, offset: Int, rowStride: Int, columnStride: Int
  ) -> ByteView {
    guard let depth = depth.constant, let columns = columns.constant, let total = elements.constant else {
      preconditionFailure("only a matrix of constant size is packed ahead of time")
    }
    let padded = (depth + group - 1) / group * group
    return source.withBytes { from in
      ByteView(count: total * elementBytes) { to in
        for first in stride(from: 0, to: columns, by: width) {
          let panelColumns = min(width, (columns - first + lanes - 1) / lanes * lanes)
          let last = min(first + width, columns)
          for k in 0..<depth {
            var target = first * padded + (k / group * panelColumns) * group + k % group
            var position = offset + k * rowStride + first * columnStride
            if elementBytes == 4 {
              for _ in first..<last {
                to.storeBytes(
                  of: from.loadUnaligned(fromByteOffset: position * 4, as: UInt32.self), toByteOffset: target * 4,
                  as: UInt32.self)
                target += group
                position += columnStride
              }
            } else {
              for _ in first..<last {
                for byte in 0..<elementBytes { to[target * elementBytes + byte] = from[position * elementBytes + byte] }
                target += group
                position += columnStride
              }
            }
          }
        }
      }
    }
  }
}
