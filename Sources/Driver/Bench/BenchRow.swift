import CommandLineKit
import Support

/// One measurement, ready to print.
struct BenchRow {
  var engine: String?
  /// Times as long as the first row, by medians.
  var ratio: Double?
  /// By the least times.
  private var ratioOfLeast: Double?
  var times: BenchTimes
  /// How far the outputs are from those of the first row.
  var difference: Comparison?
  private var runs: Int
  private var measured: JSON
  private var compileMilliseconds: Double?
  private var cache: String?

  init(_ measured: JSON, _ prepared: PreparedArtifact) {
    self.measured = measured
    times = BenchTimes(measured["ms"]) ?? BenchTimes([])
    runs = measured["runs"]?.int ?? 0
    compileMilliseconds = prepared.compileSeconds.map { $0 * 1000 }
    cache = prepared.cache.rawValue
  }

  init(peer: PeerEngine, _ answer: JSON, like first: BenchRow) {
    measured = answer
    engine = peer.rawValue
    times = BenchTimes(answer["ms"]) ?? BenchTimes([])
    runs = answer["runs"]?.int ?? 0
    // The same model, entry and threads; what only Martlet knows stays out.
    for key in ["model", "entry", "threads", "multiply_adds"] {
      if let value = first.measured[key] { measured = measured.with(key, value) }
    }
    measured = measured.with("peaks", first.measured["peaks"] ?? .null)
  }

  mutating func compare(with first: BenchRow) {
    guard first.times.least > 0, first.times.median > 0 else { return }
    ratio = times.median / first.times.median
    ratioOfLeast = times.least / first.times.least
  }

  /// Several rounds as one measurement.
  static func combined(_ rounds: [JSON]) -> JSON {
    guard let first = rounds.first else { return .null }
    var result = first.with("ms", BenchTimes.combined(rounds.compactMap { BenchTimes($0["ms"]) }).json)
    result = result.with("runs", .int(rounds.reduce(0) { $0 + ($1["runs"]?.int ?? 0) }))
    var peaks: [JSON.Member] = []
    for peak in first["peaks"]?.members ?? [] {
      let best = rounds.compactMap { $0["peaks"]?[peak.key]?.double }.max() ?? 0
      peaks.append(JSON.Member(peak.key, .number(best)))
    }
    return result.with("peaks", .object(peaks))
  }

  // MARK: Derived

  /// The times of steps, where they were asked for.
  var profile: JSON? { measured["profile"] }

  /// Multiply-adds of one run; nil where the artifact's shapes are open or only the run tells.
  private var work: (f32: Int, u8s8: Int)? {
    guard let f32 = measured["multiply_adds"]?["f32"]?.int, let u8s8 = measured["multiply_adds"]?["u8s8"]?.int
    else { return nil }
    return (f32, u8s8)
  }

  /// 10^9 operations a second, a multiply-add being two.
  private var rate: Double? {
    guard let work, work.f32 + work.u8s8 > 0, times.least > 0 else { return nil }
    return 2 * Double(work.f32 + work.u8s8) / times.least / 1e6
  }

  /// The most that the machine could do of this mix of work, measured in the same minute.
  private var peak: Double? {
    guard let work, work.f32 + work.u8s8 > 0 else { return nil }
    var seconds = 0.0
    for (count, name) in [(work.f32, "f32"), (work.u8s8, "u8s8")] where count > 0 {
      // A machine without byte products does them as other work: there is no peak to name.
      guard let best = measured["peaks"]?[name]?.double, best > 0 else { return nil }
      seconds += Double(count) / best
    }
    return 2 * Double(work.f32 + work.u8s8) / seconds / 1e9
  }

  // MARK: Printing

  var json: JSON {
    var members: [JSON.Member] = []
    func add(_ key: String, _ value: JSON?) { members.append(JSON.Member(key, value ?? .null)) }
    if let engine { add("engine", .string(engine)) }
    if let ratio { add("ratio", .number(ratio)) }
    if let ratioOfLeast { add("ratio_min", .number(ratioOfLeast)) }
    for key in ["model", "entry", "target", "threads"] { add(key, measured[key]) }
    add("runs", .int(runs))
    add("ms", times.json)
    add("compile_ms", compileMilliseconds.map { .number($0) })
    add("cache", cache.map { .string($0) })
    for key in ["load_ms", "workspace_bytes", "weights_bytes", "peak_rss_bytes", "multiply_adds"] {
      add(key, measured[key])
    }
    add("gflops", rate.map { .number($0) })
    add("peak_gflops", peak.map { .number($0) })
    if let difference { add("max_abs", .number(difference.maximumAbsolute)) }
    if let version = measured["version"] { add("version", version) }
    if let profile { add("profile", profile) }
    return .object(members)
  }

  var text: String {
    func word(_ key: String) -> String { measured[key]?.string ?? "?" }
    func number(_ key: String) -> String { Bytes.text(measured[key]?.int ?? 0) }
    let threads = measured["threads"]?.int ?? 1
    var lines = [
      "\(word("model")) \(word("entry")) on \(word("target")), \(threads) \(threads == 1 ? "thread" : "threads"), "
        + "\(runs) runs",
      "  min \(time(times.least))  median \(time(times.median))  p90 \(time(times.p90))",
    ]
    if let rate {
      var line = "  \(significant(rate, digits: 4)) Gop/s"
      if let peak {
        line +=
          ", \(significant(100 * rate / peak, digits: 3)) % of the \(significant(peak, digits: 4)) measured around it"
      }
      lines.append(line)
    }
    let load = measured["load_ms"]?.double ?? 0
    var line = "  load \(time(load))"
    if let compileMilliseconds, let cache {
      line = "  compile \(time(compileMilliseconds)) (cache \(cache)), load \(time(load))"
    }
    lines.append(line)
    lines.append(
      "  workspace \(number("workspace_bytes")), weights \(number("weights_bytes")), memory \(number("peak_rss_bytes"))"
    )
    return lines.map { oneLine($0) + "\n" }.joined()
  }

  private func time(_ milliseconds: Double) -> String { significant(milliseconds, digits: 4) + " ms" }

  static func table(_ rows: [BenchRow]) -> Table {
    var table = Table(
      ["engine", "min ms", "median ms", "p90 ms", "ratio", "Gop/s", "% of peak", "max abs"],
      numbers: ["min ms", "median ms", "p90 ms", "ratio", "Gop/s", "% of peak", "max abs"])
    for row in rows {
      let share = row.rate.flatMap { rate in row.peak.map { 100 * rate / $0 } }
      table.add([
        [row.engine ?? "", row.measured["version"]?.string ?? ""].filter { !$0.isEmpty }.joined(separator: " "),
        significant(row.times.least, digits: 4), significant(row.times.median, digits: 4),
        significant(row.times.p90, digits: 4), row.ratio.map { significant($0, digits: 3) } ?? "",
        row.rate.map { significant($0, digits: 4) } ?? "", share.map { significant($0, digits: 3) } ?? "",
        row.difference.map { Comparison.short($0.maximumAbsolute) } ?? "",
      ])
    }
    return table
  }
}

enum Bytes {
  /// `1.5 MB`.
  static func text(_ count: Int) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"]
    var number = Double(count)
    var unit = 0
    while number >= 1000, unit + 1 < units.count {
      number /= 1000
      unit += 1
    }
    return unit == 0 ? "\(count) B" : "\(significant(number, digits: 3)) \(units[unit])"
  }
}

extension JSON {
  /// The object with `key` set to `value`.
  fileprivate func with(_ key: String, _ value: JSON) -> JSON {
    var members = self.members ?? []
    if let number = members.firstIndex(where: { $0.key == key }) {
      members[number].value = value
    } else {
      members.append(JSON.Member(key, value))
    }
    return .object(members)
  }
}
