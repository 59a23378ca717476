import Glibc

/// Memory that ends at a page nobody may touch: a read or write beyond it stops the program.
final class GuardedMemory {
  let address: UnsafeMutableRawPointer
  let count: Int
  private let mapping: UnsafeMutableRawPointer
  private let size: Int
  /// Bytes in front of and, for the sake of alignment, behind what was asked for: nobody may change them.
  private let gap: Int
  private static let canary: UInt8 = 0xa5

  /// The memory starts at a multiple of `alignment`, and not of more where that can be arranged.
  init(count: Int, alignment: Int) {
    let page = 4096
    let body = (count + alignment + page - 1) / page * page
    size = body + page
    mapping = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    precondition(mapping != MAP_FAILED, "there is no memory")
    mprotect(mapping + body, page, PROT_NONE)
    let start = (body - count) / alignment * alignment
    gap = body - start - count
    address = mapping + start
    self.count = count
    memset(mapping, Int32(Self.canary), body)
  }

  /// Whether everything around is as it was.
  var isIntact: Bool {
    let edge = min(address - mapping, 64)
    for offset in 1...max(1, edge)
    where edge > 0 && address.load(fromByteOffset: -offset, as: UInt8.self) != Self.canary {
      return false
    }
    for offset in 0..<gap where address.load(fromByteOffset: count + offset, as: UInt8.self) != Self.canary {
      return false
    }
    return true
  }

  deinit { munmap(mapping, size) }
}
