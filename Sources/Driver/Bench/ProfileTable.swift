import CommandLineKit
import Support

/// A profile as people read it: the longest steps first, and what is not theirs.
struct ProfileTable {
  private let profile: JSON
  /// More rows would hide those that matter; JSON has all.
  private static let limit = 60

  init(_ profile: JSON) { self.profile = profile }

  var text: String {
    let steps = profile["steps"]?.array ?? []
    let whole = profile["run_ms"]?.double ?? 0
    let numbers: Set<String> = ["ms", "%", "calls", "Gop/s", "% of peak", "GB/s"]
    var table = Table(["ms", "%", "calls", "Gop/s", "% of peak", "GB/s", "kind", "kernel", "op"], numbers: numbers)
    for step in steps.prefix(Self.limit) { table.add(cells(step)) }
    func add(_ label: String, _ ms: Double) {
      table.add([milliseconds(ms), percent(whole > 0 ? ms / whole : 0), "", "", "", "", label])
    }
    if steps.count > Self.limit {
      let rest = steps.dropFirst(Self.limit)
      add("\(rest.count) more steps", rest.reduce(0) { $0 + ($1["ms"]?.double ?? 0) })
    }
    add("between steps", profile["unattributed_ms"]?.double ?? 0)
    add("total", whole)
    let runs = profile["runs"]?.int ?? 0
    return "profile of \(runs) runs, each:\n"
      + table.text { Terminal.styled($0, .bold) }
  }

  private func cells(_ step: JSON) -> [String] {
    let names = (step["names"]?.array ?? []).compactMap(\.string)
    func figure(_ key: String) -> String { step[key]?.double.map { fixed($0, digits: 1) } ?? "" }
    return [
      milliseconds(step["ms"]?.double ?? 0), percent(step["share"]?.double ?? 0),
      significant(step["calls_per_run"]?.double ?? 0, digits: 4), figure("gflops"),
      step["peak_share"]?.double.map(percent) ?? "", figure("gbytes_per_s"), step["kind"]?.string ?? "",
      ProfileTable.short(step["kernel"]?.string ?? ""), names.joined(separator: ", "),
    ]
  }

  /// A kernel's name with so much of its hash as tells it apart.
  private static func short(_ kernel: String) -> String {
    guard kernel.hasPrefix("k_"), let hash = kernel.lastIndex(of: "_"), hash > kernel.startIndex else { return kernel }
    return String(kernel.dropFirst(2).prefix(upTo: hash)) + kernel[hash...].prefix(9)
  }

  /// As many digits as tell the steps of a short run apart.
  private func milliseconds(_ number: Double) -> String {
    let whole = profile["run_ms"]?.double ?? 0
    return fixed(number, digits: whole < 1 ? 6 : whole < 100 ? 4 : 2)
  }
  private func percent(_ share: Double) -> String { fixed(100 * share, digits: 1) }
}
