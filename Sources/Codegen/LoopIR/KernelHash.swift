extension Kernel {
  /// A stable hash of what the kernel does: equal for kernels that differ in names
  /// and value numbers only, and the same in every process and on every machine.
  public var contentHash: String {
    var anonymous = self
    anonymous.name = "k"
    for number in buffers.indices { anonymous.buffers[number].name = "b\(number)" }
    for number in scalars.indices { anonymous.scalars[number].name = "s\(number)" }
    for number in locals.indices { anonymous.locals[number].name = "l\(number)" }
    var hash = StableHash()
    hash.combine(anonymous.description.utf8)
    return hash.hexadecimal
  }
}

/// FNV-1a with 128 bits.
struct StableHash {
  private var state: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d

  mutating func combine(_ bytes: some Sequence<UInt8>) {
    let prime: UInt128 = 1 << 88 | 0x13b
    var state = state
    for byte in bytes { state = (state ^ UInt128(byte)) &* prime }
    self.state = state
  }

  var hexadecimal: String {
    let digits = String(state, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits
  }
}
