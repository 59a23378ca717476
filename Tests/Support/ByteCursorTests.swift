import Support
import Testing

@Suite struct ByteCursorTests {
  @Test func readsLittleEndianNumbers() throws {
    var cursor = ByteCursor(ByteView(copying: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]))
    #expect(try cursor.u8("a") == 1)
    #expect(try cursor.u16("b") == 0x0302)
    #expect(try cursor.u32("c") == 0x0706_0504)
    #expect(try cursor.u64("d") == 0x0f0e_0d0c_0b0a_0908)
    #expect(cursor.isAtEnd)
  }

  @Test func errorsNameFileOffsetAndField() throws {
    var cursor = ByteCursor(ByteView(copying: [1, 2, 3]), file: "weights.bin", origin: 100)
    _ = try cursor.u16("first")
    do {
      _ = try cursor.u32("header.count")
      Issue.record("read past the end")
    } catch {
      #expect("\(error)" == "weights.bin: byte 102: header.count: needs 4 bytes, 1 are left")
    }
  }

  @Test func varintsEnd() throws {
    var long = ByteCursor(ByteView(copying: [UInt8](repeating: 0x80, count: 64)))
    #expect(throws: Diagnostic.self) { try long.varint("n") }
    var cut = ByteCursor(ByteView(copying: [0x80, 0x80]))
    #expect(throws: Diagnostic.self) { try cut.varint("n") }
    var greatest = ByteCursor(ByteView(copying: [UInt8](repeating: 0xff, count: 9) + [1]))
    #expect(try greatest.varint("n") == .max)
    var tooGreat = ByteCursor(ByteView(copying: [UInt8](repeating: 0xff, count: 9) + [2]))
    #expect(throws: Diagnostic.self) { try tooGreat.varint("n") }
  }

  @Test func nothingLeavesTheView() {
    var cursor = ByteCursor(ByteView(copying: [0, 0, 0, 0]))
    #expect(throws: Diagnostic.self) { try cursor.skip(5, "x") }
    #expect(throws: Diagnostic.self) { try cursor.skip(-1, "x") }
    #expect(throws: Diagnostic.self) { try cursor.skip(.max, "x") }
    #expect(throws: Diagnostic.self) { try cursor.move(to: -1, "x") }
    #expect(throws: Diagnostic.self) { try cursor.take(.max, "x") }
    #expect(throws: Diagnostic.self) { try cursor.needItems(.max, size: 8, "x") }
    #expect(throws: Diagnostic.self) { try cursor.align(to: 0, "x") }
    #expect(cursor.position == 0)
  }

  @Test func sizesFitAnInt() {
    var cursor = ByteCursor(ByteView(copying: [UInt8](repeating: 0xff, count: 8)))
    #expect(throws: Diagnostic.self) { try cursor.size("x") }
  }
}
