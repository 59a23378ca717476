import Codegen
import IR
import Passes
import Support

/// A page about a model: its figures, and the memory plan as a picture.
struct ModelPage {
  let title: String
  let lines: [String]
  /// The scheduled program, or why there is none.
  let program: Result<Program, Diagnostic>

  private static let width = 1000.0
  private static let height = 360.0
  /// A picture of more would show nothing.
  private static let limit = 4000

  func render() -> String {
    var page = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>\(escaped(title))</title>\n"
    page += "<style>\(ModelPage.style)</style></head>\n<body><h1>\(escaped(title))</h1>\n"
    page += "<pre>\(escaped(lines.joined(separator: "\n")))</pre>\n"
    switch program {
    case .failure(let problem): page += "<p>No memory plan: \(escaped("\(problem)"))</p>\n"
    case .success(let program):
      for entry in program.entries { page += picture(of: entry) }
      page += "<h2>Kernels</h2>\n<ul>\n"
      for kernel in program.kernels { page += "<li>\(escaped(kernel.name))</li>\n" }
      page += "</ul>\n"
    }
    return page + "</body></html>\n"
  }

  private func picture(of entry: ProgramEntry) -> String {
    let lives = entry.lives
    let placed = lives.filter { $0.offset != nil }
    let steps = placed.map { min($0.last, ModelPage.limit * 1000) }.filter { $0 < ModelPage.limit * 1000 }.max() ?? 1
    var text = "<h2>Workspace of \(escaped(entry.name))</h2>\n"
    text += "<p>\(entry.plan.fixedBytes) bytes planned; \(entry.plan.lowerBound) live at once at least.</p>\n"
    text += "<svg viewBox=\"0 0 \(Int(ModelPage.width)) \(Int(ModelPage.height))\" role=\"img\">\n"
    for (number, life) in placed.prefix(ModelPage.limit).enumerated() {
      guard let offset = life.offset, let bytes = life.bytes.constant else { continue }
      let scaleX = ModelPage.width / Double(max(1, steps + 1))
      let scaleY = ModelPage.height / Double(max(1, entry.plan.fixedBytes))
      let last = min(life.last, steps)
      let place = "x=\"\(Double(life.first) * scaleX)\" y=\"\(Double(offset) * scaleY)\""
      let size =
        "width=\"\(max(1, Double(last - life.first + 1) * scaleX))\" height=\"\(max(1, Double(bytes) * scaleY))\""
      let hue = number * 47 % 360
      text += "<rect \(place) \(size) fill=\"hsl(\(hue) 60% 70%)\" stroke=\"#333\" stroke-width=\"0.5\">"
      text +=
        "<title>\(escaped(life.label)): \(bytes) bytes at \(offset), steps \(life.first) to \(last)</title></rect>\n"
    }
    text += "</svg>\n<p>Steps to the right, offsets downwards; point at a buffer for its name.</p>\n"
    let open = lives.filter { $0.offset == nil }
    if !open.isEmpty {
      text += "<table><tr><th>buffer of open size</th><th>bytes</th><th>steps</th></tr>\n"
      for life in open.prefix(ModelPage.limit) {
        let last = life.last > steps + ModelPage.limit ? "end" : "\(life.last)"
        text += "<tr><td>\(escaped(life.label))</td><td>\(escaped(life.bytes.description))</td>"
        text += "<td>\(life.first) to \(last)</td></tr>\n"
      }
      text += "</table>\n"
    }
    return text
  }

  private func escaped(_ text: String) -> String { PassHTML.escape(text) }

  private static let style = """
    body { font: 15px system-ui, sans-serif; margin: 2em auto; max-width: 64em; }
    svg { width: 100%; border: 1px solid #999; background: #fafafa; }
    td, th { text-align: left; padding-right: 2em; }
    """
}
