import Support

/// Copies the elements at `offset + sum(index * strides)` into a dense tensor, byte-wise wide and without a table of
/// positions: weights of gigabytes are transposed by it.
struct StridedCopy {
  private let shape: [Int]
  private let strides: [Int]
  private let offset: Int
  private let width: Int

  init(_ shape: [Int], _ strides: [Int], _ offset: Int, width: Int) {
    self.shape = shape
    self.strides = strides
    self.offset = offset
    self.width = width
  }

  func run(_ bytes: ByteView) -> ByteView {
    let count = shape.reduce(1, *)
    return bytes.withBytes { source in
      ByteView(count: count * width) { target in
        guard count > 0, let from = source.baseAddress, var to = target.baseAddress else { return }
        let inner = shape[shape.count - 1]
        let step = strides[shape.count - 1]
        forEachRow(shape, strides, offset) { position in
          copyRow(from + position * width, to, inner, step)
          to += inner * width
        }
      }
    }
  }

  private func copyRow(_ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, _ count: Int, _ step: Int) {
    if step == 1 { return to.copyMemory(from: from, byteCount: count * width) }
    switch width {
    case 1:
      for i in 0..<count { to.storeBytes(of: (from + i * step).load(as: UInt8.self), toByteOffset: i, as: UInt8.self) }
    case 2:
      for i in 0..<count {
        to.storeBytes(of: (from + i * step * 2).loadUnaligned(as: UInt16.self), toByteOffset: i * 2, as: UInt16.self)
      }
    case 4:
      for i in 0..<count {
        to.storeBytes(of: (from + i * step * 4).loadUnaligned(as: UInt32.self), toByteOffset: i * 4, as: UInt32.self)
      }
    default:
      for i in 0..<count {
        (to + i * width).copyMemory(from: from + i * step * width, byteCount: width)
      }
    }
  }
}
