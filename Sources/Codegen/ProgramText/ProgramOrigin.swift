import IR
import Support

/// What a program was made from and for: what its text says of it, in the first line, so that an artifact made of the
/// text equals the one made of the model.
///
///     target "x86-64-v4" options "--target x86-64-v4" source "8c2f"
public struct ProgramOrigin: Hashable, Sendable {
  /// The profile whose tiles the kernels have.
  public var target: String
  /// The compile options that shaped the program.
  public var options: String
  /// The hash of the model's file.
  public var sourceHash: String

  public init(target: String, options: String, sourceHash: String) {
    self.target = target
    self.options = options
    self.sourceHash = sourceHash
  }
}

extension ProgramOrigin: CustomStringConvertible {
  public var description: String {
    "target \(MIRName.quoted(target)) options \(MIRName.quoted(options)) source \(MIRName.quoted(sourceHash))"
  }
}

extension Program {
  /// The program and its kernels: all that the loops phase is, but for the bytes of the weights.
  public func text(origin: ProgramOrigin? = nil) -> String {
    var result = origin.map { "\($0)\n" } ?? ""
    result += description
    for kernel in kernels { result += "\n" + kernel.description }
    return result
  }
}
