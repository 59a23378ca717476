import Testing

@testable import CommandLineKit

@Suite struct TableTests {
  @Test func columnsAreAligned() {
    var table = Table(["name", "bytes", "note"], numbers: ["bytes"])
    table.add(["a", "1024", "short"])
    table.add(["longer", "7"])
    #expect(
      table.text() == """
        name    bytes  note
        a        1024  short
        longer      7

        """)
  }

  @Test func progressSaysHowFar() {
    #expect(Progress("compiling", total: 7).text(done: 3, "conv\n1") == #"compiling 3/7 conv\u{a}1"#)
  }
}
