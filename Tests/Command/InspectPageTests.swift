import Foundation
import FoundationXML
import Support
import TestSupport
import Testing

/// The page of `inspect --html`: whatever a model calls its parts, it is well-formed and needs nothing from outside.
@Suite struct InspectPageTests {
  private final class Reader: NSObject, XMLParserDelegate {
    var counts: [String: Int] = [:]
    var rectangles: [[String: String]] = []
    var lines: [[String: String]] = []
    var text = ""

    func parser(
      _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String] = [:]
    ) {
      counts[element, default: 0] += 1
      if element == "rect" { rectangles.append(attributes) }
      if element == "line" { lines.append(attributes) }
    }
    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
  }

  private func read(_ folder: TestFolder, _ name: String) throws -> (page: String, reader: Reader) {
    let data = try folder.read(name)
    let reader = Reader()
    let parser = XMLParser(data: data)
    parser.delegate = reader
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    return (String(decoding: data, as: UTF8.self), reader)
  }

  @Test func hostileNamesStayText() throws {
    let folder = try TestFolder()
    let name = "</title><script>alert('x')</script>&amp; ]]> \u{1b}[31m"
    let model = try folder.write(
      """
      module @"\(name)" {
        entry @"\(name)"(%"\(name)": f32[64, 8]) -> (%"\(name) out": f32[64, 8], %z: f32[64, 8]) {
          %0 = softmax %"\(name)" {axis = 1} : f32[64, 8] loc "\(name)"
          %1 = softmax %0 {axis = 0} : f32[64, 8] loc "\(name)"
          %2 = softmax %1 {axis = 1} : f32[64, 8] loc "\(name)"
          return %1, %2
        }
      }
      """, to: "odd.mir")
    let result = try Martlet.run("inspect", model, "--html", folder["odd.html"])
    #expect(result.status == 0, "\(result.errors)")
    let (page, reader) = try read(folder, "odd.html")
    #expect(reader.counts["script"] == nil && reader.counts["link"] == nil && reader.counts["img"] == nil)
    #expect(!page.contains("http") && !page.contains("\u{1b}"))
    #expect(reader.text.contains("<script>alert('x')</script>"))
    #expect(reader.counts["svg"] == 1)
  }

  /// Rectangles lie within the picture, and the line marks the least that any plan needs.
  @Test func pictureShowsThePlan() throws {
    let folder = try TestFolder()
    let inspected = try Martlet.run(
      "inspect", Martlet.digits, "--shape", "image=64x1x8x8", "--html", folder["digits.html"])
    #expect(inspected.status == 0, "\(inspected.errors)")
    let (_, reader) = try read(folder, "digits.html")
    #expect(reader.rectangles.count >= 3)
    for rectangle in reader.rectangles {
      let numbers = try ["x", "y", "width", "height"].map { try #require(rectangle[$0].flatMap(Double.init)) }
      // Coordinates are rounded to hundredths.
      #expect(numbers[0] >= 0 && numbers[0] + numbers[2] <= 1000.02)
      #expect(numbers[1] >= 0 && numbers[1] + numbers[3] <= 400.02)
    }
    #expect(reader.lines.count == 1)
    #expect(reader.lines.first?["y1"].flatMap(Double.init) ?? 0 > 0)
    // Each has a title with its name, and the ops are listed with what they cost.
    #expect(reader.counts["title"] == reader.rectangles.count + 1)
    #expect(reader.text.contains("onnx:/conv/Conv") && reader.text.contains("589824"))
  }

  @Test func profileShowsWhereTimeGoes() throws {
    let folder = try TestFolder()
    let profile = """
      {"profile": {"run_ms": 2, "unattributed_ms": 0.5, "steps": [
        {"names": ["<a>", "b"], "kind": "conv&", "ms": 1.5}, {"names": 3, "ms": -1}, {"ms": 1e999}]}}
      """
    let file = try folder.write(profile.replacing("1e999", with: "1e300"), to: "profile.json")
    let digits = ["inspect", Martlet.digits, "--shape", "image=1x1x8x8", "--html", folder["page.html"]]
    #expect(try Martlet.run(Martlet.path, digits + ["--profile", file]).status == 0)
    let (_, reader) = try read(folder, "page.html")
    #expect(reader.text.contains("conv&: <a>, b") && reader.text.contains("1.5000 ms, 75.0 %"))
    for text in ["{}", "[1]", "{\"steps\": 1}", "no"] {
      let other = try folder.write(text, to: "other.json")
      let refused = try Martlet.run(Martlet.path, digits + ["--profile", other])
      #expect(refused.status == 1 && refused.isOneLine, "\(text): \(refused.errors)")
    }
    #expect(try Martlet.run("inspect", Martlet.digits, "--profile", file).status == 2)
  }

  /// A large model makes a page that a browser opens, and the page says what it leaves out.
  @Test func largeModelsAreCut() throws {
    let folder = try TestFolder()
    var ops = ["%v0 = neg %x : f32[4, 4]"]
    for number in 1...1500 {
      ops.append("%v\(number) = \(number % 2 == 0 ? "neg" : "exp") %v\(number - 1) : f32[4, 4] loc \"src:\(number)\"")
    }
    let model = try folder.write(
      """
      module @deep {
        entry @main(%x: f32[4, 4]) -> (%y: f32[4, 4]) {
          \(ops.joined(separator: "\n    "))
          return %v1500
        }
      }
      """, to: "deep.mir")
    #expect(try Martlet.run("inspect", model, "--html", folder["deep.html"]).status == 0)
    let (page, reader) = try read(folder, "deep.html")
    #expect(reader.text.contains("501 more of 1501 ops are not listed"))
    #expect(page.utf8.count < 1 << 20)
  }

  @Test func bytesAndWorkAreCounted() throws {
    let folder = try TestFolder()
    let model = try folder.write(
      """
      module @work {
        entry @main(%q: f32[1, 2, 10, 8], %k: f32[1, 2, 12, 8], %v: f32[1, 2, 12, 4]) -> (%y: f32[1, 2, 10, 4]) {
          %0 = attention %q, %k, %v {scale = 0.5} : f32[1, 2, 10, 4]
          return %0
        }
      }
      """, to: "work.mir")
    let entry = try #require(try Martlet.run("inspect", model, "--json").json["entries"]?.array?.first)
    #expect(entry["multiply_adds"] == .int(2 * 10 * 12 * (8 + 4)))
    #expect(entry["bytes"] == .int(4 * (160 + 192 + 96 + 80)))
  }
}
