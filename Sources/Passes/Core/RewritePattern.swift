import IR
import Support

/// One local rewrite: which ops it starts from, and what it does.
///
/// `apply` matches, asks `context.permit`, rewrites, and says whether it did.
public struct RewritePattern: Sendable {
  public let name: String
  /// Mnemonics of the ops it starts from.
  public let roots: [String]
  public let apply: @Sendable (OpID, inout PassContext) throws(Diagnostic) -> Bool

  public init(
    _ name: String, roots: [String],
    apply: @escaping @Sendable (OpID, inout PassContext) throws(Diagnostic) -> Bool
  ) {
    self.name = name
    self.roots = roots
    self.apply = apply
  }
}

extension PassContext {
  /// Applies patterns until none fires, in every function. Work is proportional to what changes.
  public mutating func rewrite(_ patterns: [RewritePattern]) throws(Diagnostic) {
    var byRoot: [String: [RewritePattern]] = [:]
    for pattern in patterns {
      for root in pattern.roots { byRoot[root, default: []].append(pattern) }
    }
    try forEachFunction { context throws(Diagnostic) in
      var worklist = Worklist(context.function.allOps())
      while let op = worklist.pop() {
        guard context.function.exists(op) else { continue }
        for pattern in byRoot[context.function[op].kind.mnemonic] ?? [] {
          guard try pattern.apply(op, &context) else { continue }
          try context.checkProgress()
          break
        }
        for touched in context.takeTouched() { worklist.push(touched) }
      }
    }
  }
}
