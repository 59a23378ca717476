import IR
import Support

/// Transformed filters as the second kernel reads them: one packed matrix a plane.
struct WinogradFilters {
  let plan: WinogradPlan
  /// Of one plane.
  let layout: PanelLayout

  private var planeElements: Int { layout.elements.constant ?? 0 }
  var bytes: Int { planeElements * plan.planes * 4 }

  /// From f32 filters `[columns, 3, 3, channels]`. Computed in f64 and rounded once.
  func pack(_ source: ByteView) -> ByteView {
    let (channels, columns, size) = (plan.channels, plan.columns, plan.transform.products)
    let (taps, stride) = (WinogradTransform.taps, planeElements)
    let matrix = plan.transform.filterMatrix.flatMap { $0 }
    return source.withBytes { from in
      ByteView(count: bytes) { to in
        matrix.withUnsafeBufferPointer { matrix in
          withUnsafeTemporaryAllocation(of: Double.self, capacity: taps * taps + size * taps) { memory in
            for first in Swift.stride(from: 0, to: columns, by: layout.width) {
              let width = min(layout.width, (columns - first + layout.lanes - 1) / layout.lanes * layout.lanes)
              for channel in 0..<channels {
                for column in first..<min(first + layout.width, columns) {
                  for tap in 0..<taps * taps {
                    let position = (column * taps * taps + tap) * channels + channel
                    memory[tap] = Double(from.loadUnaligned(fromByteOffset: position * 4, as: Float.self))
                  }
                  let rows = taps * taps
                  for row in 0..<size {
                    for x in 0..<taps {
                      var sum = 0.0
                      for y in 0..<taps { sum += matrix[row * taps + y] * memory[y * taps + x] }
                      memory[rows + row * taps + x] = sum
                    }
                  }
                  let target = first * channels + channel * width + column - first
                  for row in 0..<size {
                    for other in 0..<size {
                      var sum = 0.0
                      for x in 0..<taps { sum += memory[rows + row * taps + x] * matrix[other * taps + x] }
                      to.storeBytes(
                        of: Float(sum), toByteOffset: ((row * size + other) * stride + target) * 4, as: Float.self)
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}
