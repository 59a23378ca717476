import Codegen
import IR
import Support
import TestSupport
import Testing

/// Program texts that were damaged in any way are refused, or are programs: nothing crashes, whatever they say.
@Suite struct ProgramMutationTests {
  @Test func damagedTextsAreRefusedOrRead() throws {
    var mutator = TextMutator(ProgramTextTests.text, seed: 4)
    var refused = 0
    var read = 0
    for _ in 0..<6000 {
      let bytes = mutator.next()
      let result: ProgramParser.Result
      do throws(Diagnostic) {
        result = try ProgramParser.parse(bytes, file: "x.loops") { _, size throws(Diagnostic) in
          guard size <= 1 << 16 else { throw .invalid("too much") }
          return ByteView(copying: [UInt8](repeating: 7, count: size))
        }
      } catch {
        refused += 1
        #expect(error.kind == .invalid || error.kind == .unsupported, "\(error)")
        #expect("\(error)".hasPrefix("x.loops:") && !"\(error)".utf8.contains(10), "\(error)")
        continue
      }
      read += 1
      try follow(result.program)
    }
    #expect(refused > 1000 && read > 100, "\(refused) refused, \(read) read")
  }

  /// What is done with every program that has been read.
  private func follow(_ program: Program) throws {
    let named = program.namingKernelsByContent()
    try named.verify()
    let text = named.text()
    #expect(try ProgramTextTests.parse(text).program == named)
    let options = ModelSource.Options(
      name: "m", target: "t", options: "", sourceHash: "", features: [], maximumThreads: 2, metadata: "")
    #expect(!ModelSource.text(named, options).isEmpty)
    for entry in named.entries { _ = entry.lives }
  }
}

/// Deterministic damage: bytes, numbers, words and lines changed, one to three at a time.
struct TextMutator {
  private let original: [UInt8]
  private let words: [[UInt8]]
  private var random: Seeded

  private static let numbers = [
    "-1", "0", "1", "2", "3", "7", "8", "63", "64", "4096", "2147483648", "1125899906842624", "4611686018427387904",
    "9223372036854775806", "9223372036854775807", "-9223372036854775808", "18446744073709551616", "0x7f", "1e9",
  ].map { Array($0.utf8) }

  init(_ text: String, seed: UInt64) {
    original = Array(text.utf8)
    words = Self.spans(original, Self.isWord).map { [original] in Array(original[$0]) }
    random = Seeded(seed)
  }

  mutating func next() -> [UInt8] {
    var bytes = original
    for _ in 0...below(3) { damage(&bytes) }
    return bytes
  }

  private mutating func damage(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return }
    switch below(8) {
    case 0: bytes[below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
    case 1: bytes[below(bytes.count)] = Array("{}()[]<>,:=+-*%@!\"'.0123 \n".utf8)[below(26)]
    case 2, 3:
      let spans = Self.spans(bytes) { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
      guard !spans.isEmpty else { return }
      bytes.replaceSubrange(spans[below(spans.count)], with: Self.numbers[below(Self.numbers.count)])
    case 4, 5:
      let spans = Self.spans(bytes, Self.isWord)
      guard !spans.isEmpty else { return }
      bytes.replaceSubrange(spans[below(spans.count)], with: words[below(words.count)])
    case 6: changeLines(&bytes)
    default:
      let start = below(bytes.count)
      bytes.removeSubrange(start..<min(bytes.count, start + 1 + below(40)))
    }
  }

  private mutating func changeLines(_ bytes: inout [UInt8]) {
    var lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map { Array($0) }
    let (a, b) = (below(lines.count), below(lines.count))
    switch below(3) {
    case 0: lines.swapAt(a, b)
    case 1: lines.insert(lines[a], at: b)
    default: lines.remove(at: a)
    }
    bytes = Array(lines.joined(separator: [10]))
  }

  private mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

  private static func isWord(_ byte: UInt8) -> Bool {
    UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
      || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "%")
  }

  private static func spans(_ bytes: [UInt8], _ belongs: (UInt8) -> Bool) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var start: Int?
    for position in 0...bytes.count {
      let isInside = position < bytes.count && belongs(bytes[position])
      if isInside, start == nil { start = position }
      if !isInside, let first = start {
        result.append(first..<position)
        start = nil
      }
    }
    return result
  }
}
