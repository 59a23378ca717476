import CommandLineKit
import Passes

/// Pieces of a page. Everything that comes from a model goes through `escaped`.
enum PageText {
  /// Fit for elements and quoted attributes, and without characters that no page may hold.
  static func escaped(_ text: String) -> String { PassHTML.escape(oneLine(text)) }

  /// One colour a kind of op, the same on every page.
  static func color(_ kind: String) -> String {
    var hash: UInt32 = 2_166_136_261
    for byte in kind.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
    return "hsl(\(hash % 360) \(55 + hash / 360 % 30)% \(58 + hash / 10_800 % 16)%)"
  }

  /// A number with two digits behind the point, for coordinates.
  static func coordinate(_ value: Double) -> String { fixed(value, digits: 2) }

  /// A table of rows whose cells are escaped here; `numbers` of the leading columns are aligned to the right.
  static func table(_ titles: [String], numbers: Set<String>, _ rows: some Sequence<[String]>) -> String {
    func cell(_ tag: String, _ column: Int, _ text: String) -> String {
      let style = numbers.contains(titles[column]) ? " class=\"n\"" : ""
      return "<\(tag)\(style)>\(escaped(text))</\(tag)>"
    }
    var text = "<table><tr>" + titles.indices.map { cell("th", $0, titles[$0]) }.joined() + "</tr>\n"
    for row in rows {
      text += "<tr>" + titles.indices.map { cell("td", $0, $0 < row.count ? row[$0] : "") }.joined() + "</tr>\n"
    }
    return text + "</table>\n"
  }

  /// A list of bars, the longest as wide as the page allows.
  static func bars(_ rows: [(label: String, kind: String, value: Double, figure: String)]) -> String {
    let most = rows.map(\.value).max() ?? 0
    var text = "<table class=\"bars\">\n"
    for row in rows {
      let width = most > 0 ? max(0, min(100, 100 * row.value / most)) : 0
      text += "<tr><td>\(escaped(row.label))</td><td class=\"n\">\(escaped(row.figure))</td>"
      text +=
        "<td class=\"w\"><div style=\"width:\(coordinate(width))%;background:\(color(row.kind))\"></div></td></tr>\n"
    }
    return text + "</table>\n"
  }

  static let style = """
    :root{color-scheme:light dark;--back:#fff;--text:#1b1f24;--faint:#6a737d;--line:#d8dee4;--paper:#f6f8fa}
    @media(prefers-color-scheme:dark){:root{--back:#14171c;--text:#e3e6ea;--faint:#8b949e;--line:#30363d;--paper:#1b2027}}
    body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:72em;padding:0 1em;background:var(--back);
    color:var(--text)}
    h1{font-size:22px}h2{font-size:17px;margin:1.6em 0 .4em}p{color:var(--faint);margin:.3em 0}
    svg{width:100%;border:1px solid var(--line);background:var(--paper)}svg text{font-size:11px;fill:var(--faint)}
    table{border-collapse:collapse;font-size:13px}td,th{text-align:left;padding:1px 1.2em 1px 0;vertical-align:top}
    td.n,th.n{text-align:right}td.w{width:40em}td.w div{height:.9em;border-radius:2px}
    pre{background:var(--paper);padding:.8em;overflow-x:auto;font-size:13px}
    .key{display:inline-block;margin-right:1.2em;font-size:13px}
    .key i{display:inline-block;width:.9em;height:.9em;margin-right:.4em;border-radius:2px}
    """
}
