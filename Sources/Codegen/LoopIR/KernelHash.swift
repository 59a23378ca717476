import Support

extension Kernel {
  /// A stable hash of what the kernel does: equal for kernels that differ in names
  /// and value numbers only, and the same in every process and on every machine.
  public var contentHash: ContentHash {
    var anonymous = self
    anonymous.name = "k"
    for number in buffers.indices { anonymous.buffers[number].name = "b\(number)" }
    for number in scalars.indices { anonymous.scalars[number].name = "s\(number)" }
    for number in locals.indices { anonymous.locals[number].name = "l\(number)" }
    return ContentHash.of(anonymous.description)
  }
}
