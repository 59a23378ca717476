import IR
import Support

extension KernelScope {
  /// Reads `lanes` elements from element position `position`, `stride` apart, into register form.
  /// Lanes outside of `mask` read as zero.
  func read(
    _ reference: BufferReference, _ form: ElementForm, at position: LoopValue, stride: Dim, lanes: Int,
    mask: LoopValue? = nil
  ) -> LoopValue {
    if stride == 0 || lanes == 1 {
      return build.splat(expand(readScalar(reference, form, position), form, position), lanes: lanes)
    }
    let type = LoopType(form.memory, lanes: lanes)
    if form.perByte > 1 {
      let positions = build.add(build.splat(position, lanes: lanes), laneOffsets(stride, lanes))
      let shift = build.integer(form.perByte == 2 ? 1 : 2, LoopType(.i64, lanes: lanes))
      let bytes = build.gather(
        type, Address(reference), indices: build.binary(.ushr, positions, shift), mask: mask)
      return expand(bytes, form, positions)
    }
    if stride == 1 { return expand(build.load(type, Address(reference, position), mask: mask), form, position) }
    let raw = build.gather(type, Address(reference, position), indices: laneOffsets(stride, lanes), mask: mask)
    return expand(raw, form, position)
  }

  /// Reads one element per lane at the given element positions.
  func read(
    _ reference: BufferReference, _ form: ElementForm, positions: LoopValue, mask: LoopValue? = nil
  ) -> LoopValue {
    let lanes = build.type(positions).lanes
    if lanes == 1 { return expand(readScalar(reference, form, positions), form, positions) }
    let type = LoopType(form.memory, lanes: lanes)
    var indices = positions
    if form.perByte > 1 {
      indices = build.binary(.ushr, positions, build.integer(form.perByte == 2 ? 1 : 2, build.type(positions)))
    }
    return expand(build.gather(type, Address(reference), indices: indices, mask: mask), form, positions)
  }

  private func readScalar(_ reference: BufferReference, _ form: ElementForm, _ position: LoopValue) -> LoopValue {
    guard form.perByte > 1 else { return build.load(LoopType(form.memory), Address(reference, position)) }
    let byte = build.binary(.ushr, position, build.index(form.perByte == 2 ? 1 : 2))
    return build.load(LoopType(form.memory), Address(reference, byte))
  }

  /// 0, stride, 2 * stride, ...
  func laneOffsets(_ stride: Dim, _ lanes: Int) -> LoopValue {
    let lane = build.iota(LoopType(.i64, lanes: lanes))
    return stride == 1 ? lane : build.mul(lane, build.splat(index(stride), lanes: lanes))
  }

  /// Memory form to register form; `positions` tells packed elements apart.
  private func expand(_ raw: LoopValue, _ form: ElementForm, _ positions: LoopValue) -> LoopValue {
    let lanes = build.type(raw).lanes
    let bytes = LoopType(.i8, lanes: lanes)
    switch form.element {
    case .bool: return build.compare(.ne, raw, build.zero(build.type(raw)))
    case .f16, .bf16: return build.convert(.floatExtend, raw, to: LoopType(form.register, lanes: lanes))
    case .i2, .u2, .i4, .u4, .f4e2m1:
      let bits = form.element.bits
      let within = build.binary(.and, positions, build.integer(form.perByte - 1, build.type(positions)))
      let scaled = build.mul(within, build.integer(bits, build.type(positions)))
      let shifted = build.binary(.ushr, raw, build.convert(.truncate, scaled, to: bytes))
      if form.element.isFloat {
        return build.decodeSmallFloat(build.binary(.and, shifted, build.integer((1 << bits) - 1, bytes)), form.element)
      }
      if form.element.isSigned {
        let up = build.integer(8 - bits, bytes)
        return build.binary(.shr, build.binary(.shl, shifted, up), up)
      }
      return build.binary(.and, shifted, build.integer((1 << bits) - 1, bytes))
    default:
      return form.element.isFloat && form.memory == .i8 ? build.decodeSmallFloat(raw, form.element) : raw
    }
  }

  /// Register form to memory form of elements of a byte or more.
  private func contract(_ value: LoopValue, _ form: ElementForm) -> LoopValue {
    let memory = LoopType(form.memory, lanes: build.type(value).lanes)
    switch form.element {
    case .bool: return build.convert(.zeroExtend, value, to: memory)
    case .f16, .bf16: return build.convert(.floatTruncate, value, to: memory)
    default:
      return form.element.isFloat && form.memory == .i8
        ? build.encodeSmallFloat(value, form.element, saturate: form.element == .f8e8m0) : value
    }
  }

  /// Writes `value` (register form) from element position `position` on, `stride` apart.
  /// Packed elements are written whole bytes at a time: see `writePacked`.
  func write(
    _ value: LoopValue, to reference: BufferReference, _ form: ElementForm, at position: LoopValue, stride: Dim,
    mask: LoopValue? = nil
  ) {
    let memory = contract(value, form)
    let lanes = build.type(memory).lanes
    if stride == 1 || lanes == 1 {
      build.store(memory, Address(reference, position), mask: mask)
    } else {
      build.scatter(memory, Address(reference, position), indices: laneOffsets(stride, lanes), mask: mask)
    }
  }

  /// Packs the elements `values` (register form, scalars), as many as a byte holds or fewer, into byte number `byte`.
  func writePacked(_ values: [LoopValue], to reference: BufferReference, _ form: ElementForm, byte: LoopValue) {
    let type = LoopType(.i8)
    var packed = build.integer(0, type)
    for (number, value) in values.enumerated() {
      let pattern =
        form.element.isFloat ? build.encodeSmallFloat(value, form.element, saturate: false) : value
      let low = build.binary(.and, pattern, build.integer((1 << form.element.bits) - 1, type))
      let shifted = build.binary(.shl, low, build.integer(number * form.element.bits, type))
      packed = build.binary(.or, packed, shifted)
    }
    build.store(packed, Address(reference, byte))
  }

  /// The value as it would read back after being stored: narrow types lose what memory cannot hold.
  func rounded(_ value: LoopValue, as element: ElementType) -> LoopValue {
    let type = build.type(value)
    switch element {
    case .f16, .bf16:
      let narrow = build.convert(.floatTruncate, value, to: type.with(element == .f16 ? .f16 : .bf16))
      return build.convert(.floatExtend, narrow, to: type)
    case .f8e8m0:
      return build.decodeSmallFloat(build.encodeSmallFloat(value, element, saturate: true), element)
    case .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f4e2m1:
      return build.decodeSmallFloat(build.encodeSmallFloat(value, element, saturate: false), element)
    case .i4, .i2:
      let up = build.integer(8 - element.bits, type)
      return build.binary(.shr, build.binary(.shl, value, up), up)
    case .u4, .u2: return build.binary(.and, value, build.integer((1 << element.bits) - 1, type))
    default: return value
    }
  }
}
