import Foundation
import Support
import TestSupport
import Testing

@Suite struct FileTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  @Test func writesAndMaps() throws {
    let path = folder["data.bin"]
    let file = try AtomicFile(path: path)
    try file.write([1, 2, 3])
    try file.align(to: 8)
    #expect(file.position == 8)
    try file.write([UInt8](repeating: 9, count: 1 << 20))
    try file.overwrite(at: 1, with: [7, 7])
    #expect(try !folder.names.contains("data.bin"))
    try file.commit(sync: true)
    #expect(try folder.names == ["data.bin"])
    let mapped = try MappedFile(path: path)
    #expect(mapped.count == 8 + 1 << 20)
    #expect(mapped.view.slice(0, 9)?.bytes == [1, 7, 7, 0, 0, 0, 0, 0, 9])
  }

  @Test func nothingRemainsOfAFileThatWasGivenUp() throws {
    let path = folder["kept"]
    try AtomicFile.write([1], to: path)
    do {
      let file = try AtomicFile(path: path)
      try file.write([2, 2])
    }
    #expect(try folder.names == ["kept"])
    #expect(try MappedFile(path: path).view.bytes == [1])
  }

  @Test func viewsKeepTheMappingAlive() throws {
    let path = folder["alive"]
    try AtomicFile.write([5, 6, 7], to: path)
    let view = try MappedFile(path: path).view
    try FileManager.default.removeItem(atPath: path)
    #expect(view[2] == 7)
  }

  @Test func errorsNameTheFile() throws {
    try AtomicFile.write([], to: folder["empty"])
    #expect(try MappedFile(path: folder["empty"]).view.isEmpty)
    expect("no such file") { _ = try MappedFile(path: folder["missing"]) }
    expect("directory") { _ = try MappedFile(path: folder.path) }
    expect("regular") { _ = try MappedFile(path: "/dev/null") }
    expect("directory") { _ = try AtomicFile(path: folder.path) }
    expect("cannot be written") { _ = try AtomicFile(path: folder["none/file"]) }
  }

  private func expect(_ words: String, _ body: () throws -> Void) {
    do {
      try body()
      Issue.record("no error with \(words)")
    } catch {
      #expect("\(error)".contains(words), "\(error)")
      #expect((error as? Diagnostic)?.location?.file != nil)
    }
  }

  @Test func devicesAreWrittenDirectly() throws {
    try AtomicFile.write([1, 2], to: "/dev/null")
    var status = stat()
    #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
  }

  @Test func linksStayLinks() throws {
    try AtomicFile.write([1], to: folder["real"])
    try FileManager.default.createSymbolicLink(atPath: folder["link"], withDestinationPath: folder["real"])
    try AtomicFile.write([2], to: folder["link"])
    #expect(try MappedFile(path: folder["real"]).view.bytes == [2])
  }
}
