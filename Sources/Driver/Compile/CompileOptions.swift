import Passes
import Support

/// Everything that decides what a model is compiled into.
public struct CompileOptions: Sendable {
  public var target = "host" { didSet { namesTarget = true } }
  /// Whether somebody has said which, and it is not for a program's text to say.
  var namesTarget = false
  /// Shapes of inputs that the model leaves open, by name.
  public var shapes: [String: [Int]] = [:]
  /// The prefix of the exported names, where it is not to be that of the output.
  public var name: String?
  public var maximumThreads: Int?
  public var weightsInFile = false
  public var sysroot: String?
  /// Where kernels are kept; nil keeps none.
  public var cacheFolder: String?
  /// The phase a .mir file is in.
  public var from = Phase.imported
  public var fuel: Int?
  public var verifiesEachPass = false
  public var explains = false
  public var printAfter: Set<String> = []
  /// A folder that gets the module after every phase.
  public var dump: String?
  /// A page with one column a pass.
  public var html: String?
  public var timesPasses = false
  /// Whether artifacts measure their steps.
  public var profiles = false

  public init() {}

  /// What of it shapes the code, as text for the artifact and for keys.
  var text: String { [programText, buildText].filter { !$0.isEmpty }.joined(separator: " ") }

  /// What shapes the program.
  var programText: String {
    var parts = ["--target \(target)"]
    for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) {
      parts.append("--shape \(name)=\(shape.map(String.init).joined(separator: "x"))")
    }
    if let fuel { parts.append("--fuel \(fuel)") }
    if from != .imported { parts.append("--from \(from.rawValue)") }
    return parts.joined(separator: " ")
  }

  /// What matters only when an artifact is made of the program.
  var buildText: String {
    var parts: [String] = []
    if let maximumThreads { parts.append("--threads \(maximumThreads)") }
    if weightsInFile { parts.append("--weights file") }
    if profiles { parts.append("--profile") }
    return parts.joined(separator: " ")
  }

  /// Refuses what no code follows yet.
  static func require(_ precision: CompileKeys.Precision, _ numerics: CompileKeys.Numerics) throws(Diagnostic) {
    guard precision == .f32 else { throw .unsupported("--precision \(precision.rawValue) is not there yet") }
    guard numerics == .strict else { throw .unsupported("--numerics \(numerics.rawValue) is not there yet") }
  }
}
