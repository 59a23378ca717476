import Codegen
import IR
import Support

/// A page about a model that needs nothing but itself: its figures, its ops, where time goes, and the memory plan as a
/// picture.
struct ModelPage {
  let summary: ModelSummary
  /// The scheduled program and the ops it was made of, or why there is none.
  let plan: Result<(program: Program, module: Module), Diagnostic>
  /// What `bench --profile --json` printed.
  var profile: JSON?

  /// Rows beyond are cut, and the page says so.
  static let limit = 1000
  private static let kindLimit = 60

  func render() -> String {
    let title = PageText.escaped(summary.name)
    var page = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\" />"
    page += "<meta name=\"viewport\" content=\"width=device-width\" /><title>\(title)</title>\n"
    page += "<style>\(PageText.style)</style></head>\n<body><h1>\(title)</h1>\n"
    // Escaped line by line: the lines themselves are to stay.
    page += "<pre>" + summary.headLines.map(PageText.escaped).joined(separator: "\n") + "</pre>\n"
    page += histogram
    if let profile { page += ProfileBars(profile).render() }
    switch plan {
    case .failure(let problem): page += "<h2>Workspace</h2>\n<p>No memory plan: \(PageText.escaped("\(problem)"))</p>\n"
    case .success(let (program, module)):
      let ops = SourceOps(module)
      for entry in program.entries { page += PlanPicture(entry: entry, ops: ops).render() }
      page += kernels(of: program)
    }
    page += opTable
    return page + "</body></html>\n"
  }

  private var histogram: String {
    let counts = summary.ops
    var text = "<h2>Ops</h2>\n"
    text += PageText.bars(
      counts.prefix(ModelPage.kindLimit).map {
        (label: $0.name, kind: $0.name, value: Double($0.count), figure: "\($0.count)")
      })
    if counts.count > ModelPage.kindLimit {
      text += "<p>\(counts.count - ModelPage.kindLimit) more kinds are not listed.</p>\n"
    }
    return text
  }

  private var opTable: String {
    let rows = summary.rows
    var text = "<h2>Op by op</h2>\n"
    text += PageText.table(
      ["multiply-adds", "bytes", "op", "result", "name"], numbers: ["multiply-adds", "bytes"],
      rows.prefix(ModelPage.limit).map { row in
        [row.work == 0 ? "" : row.work.description, row.bytes.description, row.mnemonic, row.result, row.name]
      })
    if rows.count > ModelPage.limit {
      text += "<p>\(rows.count - ModelPage.limit) more of \(rows.count) ops are not listed.</p>\n"
    }
    return text
  }

  private func kernels(of program: Program) -> String {
    var counts: [String: Int] = [:]
    for kernel in program.kernels { counts[SourceOps.family(of: kernel.name), default: 0] += 1 }
    let families = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    return "<h2>Kernels</h2>\n<p>"
      + PageText.escaped(
        "\(program.kernels.count): " + families.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
      + "</p>\n"
  }
}

/// Where the time of a run goes, from what `bench --profile --json` printed.
private struct ProfileBars {
  private let profile: JSON
  private static let limit = 100

  init(_ json: JSON) { profile = json }

  func render() -> String {
    let steps = profile["steps"]?.array ?? []
    let whole = number(profile["run_ms"])
    var rows: [(label: String, kind: String, value: Double, figure: String)] = []
    for step in steps.prefix(Self.limit) {
      let names = (step["names"]?.array ?? []).compactMap(\.string).joined(separator: ", ")
      let kind = step["kind"]?.string ?? "?"
      rows.append(
        (label: "\(kind): \(names)", kind: kind, value: number(step["ms"]), figure: figure(step["ms"], whole)))
    }
    let between = profile["unattributed_ms"]
    rows.append((label: "between steps", kind: "between", value: number(between), figure: figure(between, whole)))
    var text = "<h2>Where time goes</h2>\n<p>One run takes \(fixed(whole, digits: 4)) ms.</p>\n" + PageText.bars(rows)
    if steps.count > Self.limit { text += "<p>\(steps.count - Self.limit) shorter steps are not listed.</p>\n" }
    return text
  }

  private func number(_ json: JSON?) -> Double {
    guard let value = json?.double, value.isFinite, value >= 0 else { return 0 }
    return value
  }

  private func figure(_ ms: JSON?, _ whole: Double) -> String {
    let share = whole > 0 ? ", \(fixed(100 * number(ms) / whole, digits: 1)) %" : ""
    return "\(fixed(number(ms), digits: 4)) ms\(share)"
  }
}
