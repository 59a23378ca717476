import IR
import Support

/// Runs a list of passes on a module, with everything that one may want to see or limit.
public struct PassManager {
  public var limits = PassLimits()
  /// Rewrites permitted over all passes; nil for no limit.
  public var fuel: Int?
  /// Verify after every pass, not only at phase boundaries.
  public var verifiesEach = false
  /// Record why rewrites happened or not.
  public var explains = false
  /// Called around every pass.
  public var before: ((GraphPass, Module) -> Void)?
  public var after: ((GraphPass, Module) -> Void)?
  /// Names of passes after which `print` is called; `all` stands for every pass.
  public var printAfter: Set<String> = []
  public var print: ((String, Module) -> Void)?

  public init() {}

  @discardableResult
  public func run(_ passes: [GraphPass], on module: inout Module) throws(Diagnostic) -> PassReport {
    var report = PassReport()
    var ledger = PassLedger(fuel: fuel, explains: explains, limits: limits)
    let clock = ContinuousClock()
    for pass in passes {
      before?(pass, module)
      let start = clock.now
      let rewrites = ledger.rewrites
      // The context takes the only reference, so that functions change in place.
      var context = PassContext(pass: pass.name, module: module, limits: limits, ledger: ledger)
      module = Module(name: module.name)
      var failure: Diagnostic?
      do throws(Diagnostic) { try pass.run(&context) } catch { failure = error }
      let finished = context.finish()
      module = finished.module
      ledger = finished.ledger
      if let failure {
        throw Diagnostic(
          failure.kind, "pass \(pass.name): \(failure.message)", at: failure.location, hint: failure.hint)
      }
      report.runs.append(
        PassReport.Run(
          pass: pass.name, changes: finished.changes, rewrites: ledger.rewrites - rewrites,
          seconds: (clock.now - start).inSeconds))
      if verifiesEach {
        do throws(Diagnostic) { try Verifier.verify(module) } catch {
          throw .bug("after pass \(pass.name): \(error.message)", at: error.location)
        }
      }
      if printAfter.contains(pass.name) || printAfter.contains("all") { print?(pass.name, module) }
      after?(pass, module)
    }
    report.finish(ledger)
    return report
  }
}

/// What a run of passes did.
public struct PassReport: Sendable {
  public struct Run: Sendable {
    public var pass: String
    public var changes: Int
    public var rewrites: Int
    public var seconds: Double
  }

  public internal(set) var runs: [Run] = []
  public private(set) var rewrites = 0
  /// The rewrite that used the last of the fuel, or the last of all.
  public private(set) var lastRewrite: Rewrite?
  public private(set) var explanations: [Explanation] = []
  public private(set) var unrecordedExplanations = 0

  public init() {}

  mutating func finish(_ ledger: PassLedger) {
    rewrites = ledger.rewrites
    lastRewrite = ledger.lastRewrite
    explanations = ledger.explanations
    unrecordedExplanations = ledger.unrecorded
  }

  /// Appends the report of a later run of passes.
  public mutating func append(_ later: PassReport) {
    runs += later.runs
    rewrites += later.rewrites
    lastRewrite = later.lastRewrite ?? lastRewrite
    explanations += later.explanations
    unrecordedExplanations += later.unrecordedExplanations
  }
}
