import IR
import Support
import Targets

/// Writes one kernel together with what its dispatch passes to it.
///
/// Generators ask for buffers and dims as they need them; a dim that depends on
/// symbols becomes a scalar argument, a constant one is baked in.
public final class KernelScope {
  public let build: KernelBuilder
  private(set) var uses: [BufferUse] = []
  private(set) var scalars: [Dim] = []
  private var references: [BufferUse: BufferReference] = [:]
  /// How often each buffer was asked for: one view of it, or several.
  private var requests: [BufferUse: Int] = [:]
  private var overwrites: [(read: BufferID, written: BufferID)] = []
  private var indices: [Dim: LoopValue] = [:]

  /// Threads the dispatch can use; one unless the kernel partitions itself.
  public private(set) var parallelism = Dim(1)
  /// Multiply-adds of the whole dispatch.
  public var work = Dim(0)
  let profile: Profile
  /// Transcendental functions as this machine computes them best.
  let math: VectorMath

  init(family: String, _ profile: Profile) {
    self.profile = profile
    build = KernelBuilder(name: family)
    math = VectorMath(build, fused: profile.hasFMA)
  }

  /// The value of a dim: a constant or a scalar argument.
  public func index(_ dim: Dim) -> LoopValue {
    if let constant = dim.constant { return build.index(constant) }
    if let known = indices[dim] { return known }
    let value = build.scalar("d\(scalars.count)")
    scalars.append(dim)
    indices[dim] = value
    return value
  }

  /// A buffer of the program as a parameter.
  public func buffer(
    _ buffer: BufferID, _ scalar: LoopScalar, _ access: Access, elements: Dim? = nil, alignment: Int? = nil
  ) -> BufferReference {
    let use = BufferUse(buffer, access)
    requests[use, default: 0] += 1
    if let known = references[use], build.scalarType(of: known) == scalar { return known }
    let prefix = access == .read ? "x" : access == .write ? "y" : "u"
    let reference = build.buffer(
      "\(prefix)\(uses.count)", scalar, access, elements: elements?.constant, alignment: alignment)
    uses.append(use)
    references[use] = reference
    return reference
  }

  /// Declares that the result `written` may be the very memory of `read`: every element, or row of elements, is read
  /// for the last time before it is written, and by the same thread.
  func mayOverwrite(_ read: BufferID, with written: BufferID) { overwrites.append((read, written)) }

  /// What may be overwritten, as numbers of parameters. A buffer of which the kernel has several views is not for that.
  var overwritable: [InPlace.Pair] {
    overwrites.compactMap { pair in
      guard requests[BufferUse(pair.read, .read)] == 1,
        let read = uses.firstIndex(of: BufferUse(pair.read, .read)),
        let written = uses.firstIndex(where: { $0.buffer == pair.written && $0.access != .read }),
        uses.filter({ $0.buffer == pair.read }).count == 1, uses.filter({ $0.buffer == pair.written }).count == 1
      else { return nil }
      return InPlace.Pair(read: read, written: written)
    }
  }

  /// Splits `units` of work evenly over the threads and runs `body` on this thread's share `from ..< to`.
  /// `grain` is the least number of units worth a thread.
  public func partition(_ units: Dim, grain: Int = 1, _ body: (LoopValue, LoopValue) -> Void) {
    parallelism = units.floorDivided(by: Dim(Swift.max(1, grain)))
    if parallelism.constant.map({ $0 <= 1 }) ?? false {
      parallelism = 1
      body(build.index(0), index(units))
      return
    }
    let total = index(units)
    let thread = build.thread()
    let threads = build.threads()
    let from = build.div(build.mul(total, thread), threads)
    let to = build.div(build.mul(total, build.add(thread, 1)), threads)
    body(from, to)
  }

  func finish() -> Kernel { build.finish() }
}
