import Codegen
import IR

/// The memory plan of an entry as a picture: steps to the right, offsets downwards, a rectangle a buffer.
struct PlanPicture {
  let entry: ProgramEntry
  let ops: SourceOps

  private static let width = 1000.0
  private static let height = 400.0
  /// A picture of more would show nothing and make a page that no browser likes.
  static let limit = 3000

  func render() -> String {
    let lives = entry.lives
    var text = "<h2>Workspace of \(PageText.escaped(entry.name))</h2>\n"
    text += "<p>\(Bytes.text(entry.plan.fixedBytes)) are planned (\(entry.plan.fixedBytes) bytes), "
    text += "\(Bytes.text(entry.plan.lowerBound)) are alive at once at least: the dashed line.</p>\n"
    let placed = lives.filter { $0.offset != nil && ($0.bytes.constant ?? 0) > 0 }
    if placed.isEmpty {
      text += "<p>No buffer of constant size lies in the workspace.</p>\n"
    } else {
      text += drawing(of: placed)
    }
    let open = lives.filter { $0.offset == nil }
    if !open.isEmpty {
      text += "<h3>Buffers of open size</h3>\n"
      text += PageText.table(
        ["bytes", "steps", "kind", "buffer"], numbers: [],
        open.prefix(PlanPicture.limit).map { [$0.bytes.description, steps(of: $0), kind(of: $0), $0.label] })
      if open.count > PlanPicture.limit { text += "<p>\(open.count - PlanPicture.limit) more are not listed.</p>\n" }
    }
    return text
  }

  private func drawing(of placed: [BufferLife]) -> String {
    var drawn = placed
    if drawn.count > PlanPicture.limit {
      drawn.sort { ($0.bytes.constant ?? 0) > ($1.bytes.constant ?? 0) }
      drawn = Array(drawn.prefix(PlanPicture.limit))
    }
    let end = (placed.map(\.last).max() ?? 0) + 1
    let begin = placed.map(\.first).min() ?? 0
    let acrossScale = PlanPicture.width / Double(max(1, end - begin))
    let downScale = PlanPicture.height / Double(max(1, entry.plan.fixedBytes))
    var text = "<svg viewBox=\"0 0 \(Int(PlanPicture.width)) \(Int(PlanPicture.height))\" role=\"img\">\n"
    var kinds: [String: Int] = [:]
    for life in drawn {
      guard let offset = life.offset, let bytes = life.bytes.constant else { continue }
      let kind = kind(of: life)
      kinds[kind, default: 0] += 1
      let x = Double(life.first - begin) * acrossScale
      let width = max(0.5, Double(life.last - life.first + 1) * acrossScale)
      text += "<rect x=\"\(PageText.coordinate(x))\" y=\"\(PageText.coordinate(Double(offset) * downScale))\""
      text += " width=\"\(PageText.coordinate(width))\""
      text += " height=\"\(PageText.coordinate(max(0.5, Double(bytes) * downScale)))\""
      text += " fill=\"\(PageText.color(kind))\" stroke=\"#333\" stroke-width=\"0.4\">"
      let site = life.site.map { " of \($0)" } ?? ""
      text +=
        "<title>\(PageText.escaped("\(life.label)\(site) (\(kind)): \(bytes) bytes at \(offset), \(steps(of: life))"))"
      text += "</title></rect>\n"
    }
    let bound = PageText.coordinate(min(PlanPicture.height, Double(entry.plan.lowerBound) * downScale))
    text += "<line class=\"bound\" x1=\"0\" x2=\"\(Int(PlanPicture.width))\" y1=\"\(bound)\" y2=\"\(bound)\""
    text += " stroke=\"#c00\" stroke-dasharray=\"6 4\" />\n</svg>\n"
    text += "<p>Steps \(begin) to \(end - 1) to the right, offsets downwards; point at a buffer for its name.</p>\n<p>"
    for (kind, _) in kinds.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }).prefix(24) {
      text += "<span class=\"key\"><i style=\"background:\(PageText.color(kind))\"></i>\(PageText.escaped(kind))</span>"
    }
    text += "</p>\n"
    if drawn.count < placed.count {
      text += "<p>The \(placed.count - drawn.count) smallest of \(placed.count) buffers are not drawn.</p>\n"
    }
    return text
  }

  private func kind(of life: BufferLife) -> String {
    guard let site = life.site, let kernel = life.kernel else { return "copy" }
    return ops.kind(of: site, kernel: kernel)
  }

  private func steps(of life: BufferLife) -> String { "steps \(life.first) to \(life.last)" }
}
