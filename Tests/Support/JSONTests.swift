import Support
import Testing

@Suite struct JSONTests {
  @Test func printsWhatItRead() throws {
    let text = #"{"b": [1, -2.5, true, null], "a": {"x": "q\"\\\n\u0001é😀"}, "e": [], "o": {}}"#
    let value = try JSON.parse(text)
    #expect(value.description == text)
    #expect(try JSON.parse(value.pretty) == value)
    #expect(value["b"]?.array?.count == 4)
    #expect(value["a"]?["x"]?.string == "q\"\\\n\u{1}é😀")
  }

  @Test func prettyIsStable() {
    let value: JSON = ["name": "x", "shape": [1, 2], "rows": [["a": 1]]]
    #expect(
      value.pretty == """
        {
          "name": "x",
          "shape": [1, 2],
          "rows": [
            {
              "a": 1
            }
          ]
        }
        """)
  }

  @Test func numbers() throws {
    #expect(try JSON.parse("9223372036854775807") == .int(.max))
    #expect(try JSON.parse("9223372036854775808") == .number(0x1p63))
    #expect(try JSON.parse("-0") == .int(0))
    #expect(try JSON.parse("1e3") == .number(1000))
    #expect(JSON.number(.nan).description == "null")
  }

  @Test func escapes() throws {
    #expect(try JSON.parse(#""\u00e9\uD83D\uDE00\/\b""#) == .string("é😀/\u{8}"))
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\":1,}", "01", "1.", "1e", "-", "nul", "[1 2]", "\"a", "\"\\x\"", "\"\\ud800\"",
    "\"\\ud800\\u0041\"",
    "\"\u{1}\"", "{\"a\":1,\"a\":2}", "1 2", "1e999", "{a:1}", "\"\\u12g4\"",
  ])
  func refuses(_ text: String) {
    #expect(throws: Diagnostic.self) { try JSON.parse(text) }
  }

  @Test func errorsNameLineAndColumn() {
    do {
      _ = try JSON.parse("{\n  \"a\": nope\n}", file: "profile.json")
      Issue.record("nope was taken for a value")
    } catch {
      #expect("\(error)" == "profile.json:2:8: a value expected")
    }
  }

  @Test func depthIsLimited() {
    #expect(throws: Diagnostic.self) { try JSON.parse(String(repeating: "[", count: 100_000)) }
    #expect(throws: Diagnostic.self) { try JSON.parse(String(repeating: "{\"a\":", count: 100_000)) }
  }

  @Test func invalidTextIsRefused() {
    #expect(throws: Diagnostic.self) { try JSON.parse([0x22, 0xff, 0x22]) }
  }
}
