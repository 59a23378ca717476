import Codegen
import IR
import Support

/// The multiply-adds of one run of an entry, apart for floats and for bytes, which have different limits.
struct EntryWork {
  /// Nil where only the run tells: in loops, and in branches that differ.
  private var float: Dim? = 0
  private var bytes: Dim? = 0

  init(_ steps: [Step], _ program: Program) {
    let kernels = Dictionary(program.kernels.map { ($0.name, $0.hasByteProducts) }, uniquingKeysWith: { a, _ in a })
    self.init(steps, kernels)
  }

  private init(_ steps: [Step], _ byteKernels: [String: Bool]) {
    for step in steps {
      switch step {
      case .dispatch(let dispatch):
        if byteKernels[dispatch.kernel] ?? false {
          bytes = bytes.map { $0 + dispatch.work }
        } else {
          float = float.map { $0 + dispatch.work }
        }
      case .ifElse(_, let then, let otherwise):
        let a = EntryWork(then, byteKernels)
        let b = EntryWork(otherwise, byteKernels)
        float = EntryWork.sum(float, a.float == b.float ? a.float : nil)
        bytes = EntryWork.sum(bytes, a.bytes == b.bytes ? a.bytes : nil)
      case .loop(_, _, _, _, let body):
        let inner = EntryWork(body, byteKernels)
        if inner.float != 0 { float = nil }
        if inner.bytes != 0 { bytes = nil }
      default: break
      }
    }
  }

  private static func sum(_ a: Dim?, _ b: Dim?) -> Dim? { a.flatMap { a in b.map { a + $0 } } }

  /// A number, an expression of the entry's symbols, or null.
  var json: JSON {
    func text(_ dim: Dim?) -> JSON {
      guard let dim else { return .null }
      return dim.constant.map { .int($0) } ?? .string(dim.description)
    }
    return .object([JSON.Member("f32", text(float)), JSON.Member("u8s8", text(bytes))])
  }
}

extension Kernel {
  /// Whether it multiplies bytes four at a time.
  var hasByteProducts: Bool { EntryWork.contains(body) }
}

extension EntryWork {
  fileprivate static func contains(_ statements: [Statement]) -> Bool {
    statements.contains { statement in
      switch statement {
      case .define(_, .dot4): true
      case .forLoop(let loop): contains(loop.body)
      case .whileLoop(let loop): contains(loop.conditionBody) || contains(loop.body)
      case .ifElse(let branch): contains(branch.thenBody) || contains(branch.elseBody)
      default: false
      }
    }
  }
}
