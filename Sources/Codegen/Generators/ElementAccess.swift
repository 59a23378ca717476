import IR
import Support

/// How an element type is held in memory and in registers while code computes with it.
///
/// Narrow floats compute in f32 and are rounded after each op, as `evaluate` does; booleans are i1 in registers.
struct ElementForm {
  let element: ElementType
  /// The scalar in memory. Sub-byte elements are read byte-wise.
  let memory: LoopScalar
  let register: LoopScalar

  init(_ element: ElementType) throws(Diagnostic) {
    self.element = element
    switch element {
    case .bool: (memory, register) = (.i8, .i1)
    case .i8, .u8: (memory, register) = (.i8, .i8)
    case .i16, .u16: (memory, register) = (.i16, .i16)
    case .i32, .u32: (memory, register) = (.i32, .i32)
    case .i64, .u64: (memory, register) = (.i64, .i64)
    case .i2, .u2, .i4, .u4: (memory, register) = (.i8, .i8)
    case .f16: (memory, register) = (.f16, .f32)
    case .bf16: (memory, register) = (.bf16, .f32)
    case .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1: (memory, register) = (.i8, .f32)
    case .f32: (memory, register) = (.f32, .f32)
    case .f64: (memory, register) = (.f64, .f64)
    // The address of a text, which is moved as what it is and nothing else.
    case .string: (memory, register) = (.i64, .i64)
    }
  }

  /// Elements in a byte: more than one for packed ones.
  var perByte: Int { Swift.max(1, 8 / element.bits) }
}

/// One tensor as a kernel sees it: a buffer, an element form, and how to step through it.
struct TensorView {
  var buffer: BufferID
  var element: ElementType
  /// In elements.
  var offset: Dim
  var strides: [Dim]

  init(_ buffer: BufferID, _ element: ElementType, offset: Dim = 0, strides: [Dim]) {
    self.buffer = buffer
    self.element = element
    self.offset = offset
    self.strides = strides
  }

  /// A dense tensor.
  init(dense type: TensorType, _ buffer: BufferID) throws(Diagnostic) {
    guard let element = type.element.storage, type.layout == nil else {
      throw .unsupported("a tensor \(type) cannot be read element by element")
    }
    self.init(buffer, element, strides: rowMajorStrides(type.shape))
  }

  /// The same tensor under a shape it broadcasts to: stretched axes get stride zero.
  func broadcast(from shape: [Dim], to target: [Dim]) -> TensorView {
    var copy = self
    let missing = target.count - shape.count
    copy.strides = (0..<target.count).map { axis in
      if axis < missing { return 0 }
      // An extent of one has one element only, whatever its stride.
      return shape[axis - missing] == 1 ? 0 : strides[axis - missing]
    }
    return copy
  }
}
