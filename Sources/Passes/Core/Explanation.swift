/// Why a rewrite happened, or what was missing for it: the material of `--explain`.
public struct Explanation: Hashable, Sendable, CustomStringConvertible {
  public enum Outcome: Hashable, Sendable {
    case fired
    /// The pattern nearly matched; the text names the predicate that failed.
    case missed(String)
  }

  public var pass: String
  public var pattern: String
  public var outcome: Outcome
  public var function: String
  /// The op's mnemonic and its names in the source.
  public var mnemonic: String
  public var locations: [String]

  /// `fuse-epilogues: relu-into-conv missed at relu (onnx:/relu): the result of conv has 2 uses`.
  public var description: String {
    let place = locations.isEmpty ? "@\(function)" : locations.joined(separator: ", ")
    switch outcome {
    case .fired: return "\(pass): \(pattern) fired at \(mnemonic) (\(place))"
    case .missed(let reason): return "\(pass): \(pattern) missed at \(mnemonic) (\(place)): \(reason)"
    }
  }
}

/// One permitted rewrite: what bisection names when it finds the guilty one.
public struct Rewrite: Hashable, Sendable, CustomStringConvertible {
  /// Counted over all passes of a run, from 1: the fuel that lets exactly this one be the last.
  public var number: Int
  public var pass: String
  public var pattern: String
  public var function: String
  public var mnemonic: String
  public var locations: [String]

  public var description: String {
    let place = locations.isEmpty ? "@\(function)" : locations.joined(separator: ", ")
    return "rewrite \(number): \(pattern) of \(pass) at \(mnemonic) (\(place))"
  }
}
