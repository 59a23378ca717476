import Formats
import Support
import TestSupport
import Testing

@Suite struct NumPyTests {
  /// 0, 1, 2, 3, 4, 5 as f32.
  static let grid: [UInt8] = (0..<6).flatMap { index in
    withUnsafeBytes(of: Float(index).bitPattern.littleEndian) { Array($0) }
  }

  @Test(arguments: ["grid.npy", "fortran.npy"]) func readsBothOrders(_ name: String) throws {
    let array = try NumPyArray.read(path: Samples.path(name))
    #expect(array.type == .f32)
    #expect(array.dims == [2, 3])
    #expect(array.data.bytes == NumPyTests.grid)
  }

  @Test func writesTheBytesOfNumPy() throws {
    #expect(try NumPyArray.read(path: Samples.path("grid.npy")).encode() == Samples.bytes("grid.npy"))
    #expect(try NumPyArray.read(path: Samples.path("text.npy")).encode() == Samples.bytes("text.npy"))
  }

  @Test func swapsBigEndianNumbers() throws {
    let array = try NumPyArray.read(path: Samples.path("big_endian.npy"))
    #expect(array.type == .i32)
    #expect(array.data.bytes == (0..<6).flatMap { [UInt8($0), 0, 0, 0] })
  }

  @Test func readsTexts() throws {
    #expect(try NumPyArray.read(path: Samples.path("text.npy")).strings == ["a", "ünï", ""])
  }

  @Test func everyTypeThatNumPyHasComesBack() throws {
    for type in ElementType.allCases where type != .string {
      let size = type.bytes(for: 12) ?? 0
      let array = NumPyArray(type, dims: [3, 4], data: ByteView(copying: (0..<size).map { UInt8($0 & 1) }))
      do {
        let back = try NumPyArray.decode(ByteView(copying: array.encode()), name: "array")
        #expect(back == array, "\(type)")
      } catch {
        #expect(error.kind == .unsupported)
        #expect(type.bits < 8 || type.isFloat && type.bits <= 16)
      }
    }
    for dims in [[], [0], [5, 0, 2], [1, 1, 1]] {
      let array = NumPyArray(.u8, dims: dims, data: ByteView(copying: dims.contains(0) ? [] : [9]))
      #expect(try NumPyArray.decode(ByteView(copying: array.encode()), name: "array") == array)
    }
  }

  @Test func archives() throws {
    for name in ["stored.npz", "deflated.npz"] {
      let archive = try NumPyArchive.read(path: Samples.path(name))
      for member in archive.names { #expect(try archive.array(member) != nil) }
    }
    let stored = try NumPyArchive.read(path: Samples.path("stored.npz"))
    #expect(stored.names == ["grid", "flags"])
    #expect(try stored.array("grid")?.data.bytes == NumPyTests.grid)
    #expect(try stored.array("none") == nil)
    let deflated = try NumPyArchive.read(path: Samples.path("deflated.npz"))
    let smooth = try #require(try deflated.array("smooth"))
    #expect(smooth.dims == [5000])
    #expect(smooth.data[8 * 96] == 96 && smooth.data[8 * 97] == 0)
    #expect(try deflated.array("empty")?.dims == [0, 4])
    #expect(try deflated.array("noise")?.data.count == 3000)
  }

  @Test func writtenArchivesReadBack() throws {
    let folder = try TestFolder()
    let path = folder["out.npz"]
    let grid = NumPyArray(.f32, dims: [6], data: ByteView(copying: NumPyTests.grid))
    let text = NumPyArray(strings: ["x", "yz"], dims: [2])
    try NumPyArchive.write([("a/b", grid), ("ü", text)], to: path)
    let archive = try NumPyArchive.read(path: path)
    #expect(archive.names == ["a/b", "ü"])
    #expect(try archive.array("a/b") == grid)
    #expect(try archive.array("ü") == text)
  }

  private func file(_ header: String, _ data: [UInt8] = []) -> ByteView {
    let length = header.utf8.count
    return ByteView(
      copying: [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + Array(header.utf8)
        + data)
  }

  @Test(arguments: [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,), }",
    "{'descr': '<U99999999999', 'fortran_order': False, 'shape': (0,), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<f4', 'shape': (0,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (0,), 'descr': '<f4'}",
    "{'descr': '', 'fortran_order': False, 'shape': (0,)}",
    "{'descr", "{", "", "{}", "{'shape': (1", "{'shape': (", "{'fortran_order': T",
  ])
  func refuses(_ header: String) {
    #expect(throws: Diagnostic.self) { try NumPyArray.decode(file(header, [0, 0, 0, 0]), name: "hostile") }
  }

  @Test func truncatedAndChangedFilesNeverCrash() throws {
    for name in ["grid.npy", "fortran.npy", "text.npy", "stored.npz", "deflated.npz"] {
      let bytes = try Samples.bytes(name)
      for length in stride(from: 0, to: bytes.count, by: name.hasSuffix("npz") ? 7 : 1) {
        readAll(Array(bytes[..<length]))
      }
      var generator = Seeded(7)
      for _ in 0..<2000 {
        var changed = bytes
        for _ in 0...Int(generator.next() % 3) {
          let place = Int(generator.next() % UInt64(bytes.count))
          changed[place] = UInt8(truncatingIfNeeded: generator.next())
        }
        readAll(changed)
      }
    }
  }

  private func readAll(_ bytes: [UInt8]) {
    let view = ByteView(copying: bytes)
    _ = try? NumPyArray.decode(view, name: "changed")
    guard let archive = try? NumPyArchive(view, name: "changed") else { return }
    for name in archive.names { _ = try? archive.array(name) }
  }
}
