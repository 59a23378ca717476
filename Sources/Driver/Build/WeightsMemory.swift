import Formats
import Glibc
import Support

/// An artifact's weights in memory, behind the word through which its code reaches them.
final class WeightsMemory {
  private let memory: UnsafeMutableRawBufferPointer

  init(_ image: WeightsImage) throws(Diagnostic) {
    // A mapping is aligned and zero, and only what is written takes memory.
    let page = 4096
    let bytes = page + image.size
    guard let start = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), start != MAP_FAILED
    else { throw .invalid("no memory for \(image.size) bytes of weights: \(systemErrorText())") }
    memory = UnsafeMutableRawBufferPointer(start: start, count: bytes)
    let weights = UnsafeMutableRawBufferPointer(rebasing: memory[page...])
    memory.storeBytes(of: UInt(bitPattern: weights.baseAddress), as: UInt.self)
    do throws(Diagnostic) { try image.write(to: weights) } catch {
      free()
      throw error
    }
  }

  /// The word.
  var pointer: UnsafeRawPointer { UnsafeRawPointer(memory.baseAddress!) }

  func free() { munmap(memory.baseAddress, memory.count) }
}
