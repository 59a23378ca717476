import Codegen
import Foundation
import IR
import Support
import Testing

/// Scheduled programs as text: what is written reads back, and what is wrong is told at its line.
@Suite struct ProgramTextTests {
  /// All there is in one program.
  static let text = """
    target "x86-64-v3" options "--target host" source "17"
    program @test weights 64 state 64 {
      weight @"w 1" at 0, 64 bytes
      state @s at 0, 64 bytes = @"w 1"
      entry @main workspace 128, at least 64 {
        symbol n in 1...64
        input "x" = %0 : f32[n, 4]
        input "rows" = %1 : i64[] in 0...9
        output "y" = %2 : f32[n, 4]
        output "z" = %3 : i8<!q>[found]
        slot 0 : 16 * n bytes
        slot 1 : found, 4 * n bytes
        %0 = input 0 : 16 * n bytes "x"
        %1 = input 1 : 8 bytes "rows"
        %2 = output 0 : 16 * n bytes "y"
        %3 = output 1 : found bytes "z"
        %4 = weights 0 : 64 bytes "@w 1"
        %5 = state 0 : 64 bytes "@s"
        %6 = workspace 0 : 64 bytes "a"
        %7 = workspace 64 : 8 bytes "go"
        %8 = slot 0 : 16 * n bytes "b"
        %9 = slot 1 : found bytes "c"
        %10 = %8 : 16 * n bytes "d"
        %11 = unused : 4 bytes "e"
        %12 = growing : 4 * j * n bytes "f"
        %13 = %6 + 16 : 48 bytes "g"
        %14 = %13 + 8 rows 4 of 16 : 36 bytes "h"
        %15 = %6 + 12 rows 12 of 16 : 44 bytes "i"
        copy %5 to %6, 64 bytes
        store i64 n to %7 + 0
        bind found = i64 %1 in 0...100 loc "NonZero"
        bind 'a b' = i64 %1 loc "Extent"
        let double = 2 * found
        require n == double loc "Add"
        dispatch @k_twice(read %0, write %8, 4 * n) parts floordiv(n, 8) work 4 * n loc "Mul \\"1\\""
        dispatch @k_twice(read %15, write %14, 1) parts 1 loc "Rows"
        if %7 {
          zero %9, found bytes
        } else {
          store byte 1 to %9
        }
        loop i while %7 up to %1 {
          copy %4 to %6, 64 bytes
          store i64 i to %7 + 0
        }
        loop j while %7 growing %12 by 4 * n bytes {
          zero %12, 4 * n bytes
        }
        copy %10 to %2, 16 * n bytes
        copy %6 to %5, 64 bytes
        deliver %9 as output 1 [found]
      }
    }

    kernel @k_twice(x0: read f32[*] align 4, y1: write f32[*] align 4, d0: index) {
      %0 = const i64 0
      %1 = scalar d0
      for %2 = %0 ..< %1 step 1 {
        %3 = load f32 x0[%2]
        %4 = add %3, %3
        store %4, y1[%2]
      }
    }

    """

  static func parse(_ text: String) throws(Diagnostic) -> ProgramParser.Result {
    try ProgramParser.parse(Array(text.utf8), file: "x.loops") { _, size throws(Diagnostic) in
      guard size <= 1 << 20 else { throw .invalid("there are not so many bytes") }
      return ByteView(copying: [UInt8](repeating: 7, count: size))
    }
  }

  @Test func printsAsRead() throws {
    let result = try Self.parse(Self.text)
    #expect(result.program.text(origin: result.origin) == Self.text)
    #expect(try Self.parse(result.program.text()).program == result.program)
    #expect(result.program.entries[0].body.count == 14)
  }

  @Test func runsAsRead() throws {
    let interpreter = try ProgramInterpreter(try Self.parse(Self.text).program)
    let x = Tensor(.f32, [2, 4], doubles: [1, 2, 3, 4, 5, 6, 7, 8])
    let results = try interpreter.run("main", [x, .scalar(1)])
    #expect(results[0].doubles() == [2, 4, 6, 8, 10, 12, 14, 16])
    #expect(results[1].shape == [1])
  }

  @Test func editedKernelsChangeTheirNames() throws {
    let program = try Self.parse(Self.text).program
    let named = program.namingKernelsByContent()
    let name = "k_twice_\(program.kernels[0].contentHash)"
    #expect(named.kernels.map(\.name) == [name])
    #expect(named.description == program.description.replacing("@k_twice(", with: "@\(name)("))
    #expect(named.namingKernelsByContent() == named)
    let edited = try Self.parse(named.text().replacing("add %3, %3", with: "mul %3, %3")).program
    #expect(edited.namingKernelsByContent().kernels[0].name == "k_twice_\(edited.kernels[0].contentHash)")
    #expect(edited.kernels[0].contentHash != program.kernels[0].contentHash)
  }

  struct Fault: CustomTestStringConvertible, Sendable {
    var old: String
    var new: String
    var message: String
    var testDescription: String { "\(old) -> \(new)" }

    init(_ old: String, _ new: String, _ message: String) {
      self.old = old
      self.new = new
      self.message = message
    }
  }

  @Test(arguments: syntaxFaults + sectionFaults + bufferFaults + stepFaults + dispatchFaults)
  func isRefused(_ fault: Fault) throws {
    #expect(Self.text.contains(fault.old))
    let text = Self.text.replacing(fault.old, with: fault.new, maxReplacements: 1)
    do throws(Diagnostic) {
      _ = try Self.parse(text)
      Issue.record("is read, but \(fault.message)")
    } catch {
      let complaint = "\(error)"
      #expect(complaint.contains(fault.message), "\(complaint)")
      #expect(complaint.hasPrefix("x.loops:") && !complaint.contains("\n"), "\(complaint)")
    }
  }

  static let syntaxFaults = [
    Fault("program", "prog", "expected 'program', found 'prog'"),
    Fault("weight @\"w 1\"", "wait @\"w 1\"", "a program has no wait"),
    Fault("at 0, 64 bytes", "at -1, 64 bytes", "-1 cannot be an offset"),
    Fault("copy %5 to", "cop %5 to", "x.loops:29:5: there is no step cop (did you mean copy?)"),
    Fault("%0 = input", "%1 = input", "buffers are numbered from 0 on"),
    Fault("slot 1 : found", "slot 7 : found", "slots are numbered from 0 on"),
    Fault("= slot 1", "= slot 9", "there is no slot 9"),
    Fault("%11 = unused", "%11 = nowhere", "there is no place called nowhere"),
    Fault("n in 1...64", "n in 64...1", "the range 64...1 is empty"),
    Fault("store byte 1", "store byte 256", "256 is no byte"),
    Fault("read %0, write %8, 4 * n", "4 * n, read %0, write %8", "buffers come before sizes"),
    Fault("kernel @k_twice", "colonel @k_twice", "x.loops:55: expected 'kernel'"),
    Fault("load f32 x0[%2]", "load f32 x0[%9]", "x.loops:59: %9 is used before it is defined"),
    Fault("deliver %9 as output 1 [found]", "deliver %9 as output 1 [found", "expected"),
    Fault(": f32[n, 4]", ": f33[n, 4]", "there is no type f33"),
    Fault("2 * found", "2 * (found", "expected ')'"),
    Fault("64 bytes", "999999999999999999999 bytes", "is no 64-bit integer"),
  ]

  static let sectionFaults = [
    Fault("weights 64 state", "weights 65 state", "the weights take 64 bytes, not 65"),
    Fault("state 64 {", "state 63 {", "the states take 64 bytes, not 63"),
    Fault("at 0, 64 bytes", "at 64, 64 bytes", "weight @w 1 lies at 64, expected 0"),
    Fault("state @s at 0, 64", "state @s at 0, 32", "state @s has 32 bytes, @w 1 has 64"),
    Fault("= @\"w 1\"", "= @w2", "there is no such weight"),
    Fault(
      "state @s", "weight @\"w 1\" at 64, 0 bytes\n  state @s", "x.loops:4:3: two weights are called @w 1"),
    Fault("at 0, 64 bytes", "at 0, 1125899906842624 bytes", "there are not so many bytes"),
  ]

  static let bufferFaults = [
    Fault("n in 1...64", "m in 1...64", "no input tells what m is"),
    Fault("symbol n in 1...64", "symbol n in 1...64 symbol n in 1...64", "two symbols are called n"),
    Fault("f32[n, 4]", "f32[n, k]", "there is no symbol k"),
    Fault("\"x\" = %0", "\"x\" = %1", "\"x\" is not where %1 is"),
    Fault("\"x\" = %0", "\"x\" = %77", "\"x\" is not where %77 is"),
    Fault("= input 0 :", "= input 5 :", "there is no input 5"),
    Fault("output 0 : 16 * n", "output 0 : 17 * n", "output 0 has 16 * n bytes, not 17 * n"),
    Fault("weights 0 : 64", "weights 64 : 64", "there is no weight of 64 bytes at 64"),
    Fault("state 0 : 64", "state 0 : 72", "there is no state of 72 bytes at 0"),
    Fault("workspace 64 : 8", "workspace 128 : 8", "%7 ends at 136, beyond the workspace of 128 bytes"),
    Fault("workspace 64 : 8", "workspace 63 : 8", "offset 63 is no multiple of 64"),
    Fault("workspace 64 : 8", "workspace 0 : 8", "%7 overlaps %6, which is still needed"),
    Fault("workspace 64 : 8", "workspace 64 : n", "%7 has no constant size, but an offset"),
    Fault("%6 = workspace 0 : 64", "%6 = workspace 0 : 68", "%7 overlaps %6, which is still needed"),
    Fault("%6 = workspace 0 : 64", "%6 = workspace 0 : -4", "-4 is no size"),
    Fault("%10 = %8", "%10 = %10", "%10 is another name of itself"),
    Fault("%10 = %8", "%10 = %99", "there is no buffer %99"),
    Fault("%10 = %8 : 16 * n", "%10 = %8 : 16 * n + 1", "%10 has 16 * n + 1 bytes, but %8 has 16 * n"),
    Fault("slot 1 : found, 4 * n", "slot 1 : found - 1", "%9 has found bytes, more than slot 1"),
    Fault("= slot 1 : found", "= slot 0 : found", "are in slot 0 at the same time"),
    Fault("slot 1 : found, 4", "slot 1 : found, 2 * i, 4", "i has no value when slot 1 is first used"),
    Fault("slot 1 : found, 4", "slot 1 : found, floordiv(found, n - 1), 4", "n - 1 may be zero"),
    Fault("slot 1 : found, 4", "slot 1 : found, other, 4", "other has no value when slot 1 is first used"),
    Fault("workspace 128, at least 64", "workspace 128, at least 129", "a workspace of 128 bytes, at least 129"),
    Fault("unused : 4", "unused : what", "what has no value here"),
    Fault("%6 + 16 : 48", "%6 + 17 : 48", "%13 ends at 65 bytes, but %6 has 64"),
    Fault("%6 + 16 : 48", "%6 + 1125899906842625 : 48", "1125899906842625"),
    Fault("%6 + 16 : 48", "%6 + 1125899906842624 : 48", "%13 ends at 1125899906842672 bytes, but %6 has 64"),
    Fault("%6 + 16 : 48", "%6 + -16 : 48", "-16 cannot be an offset"),
    Fault("rows 4 of 16", "rows 17 of 16", "rows of 17 bytes cannot lie 16 apart"),
    Fault("rows 4 of 16", "rows 0 of 16", "rows of 0 bytes cannot lie 16 apart"),
    Fault("rows 4 of 16 : 36", "rows 4 of 16 : 37", "37 bytes are no rows of 4, 16 apart"),
    Fault("rows 4 of 16 : 36", "rows 4 of 16 : 52", "%14 ends at 60 bytes, but %13 has 48"),
    Fault("%13 + 8 rows", "%15 + 8 rows", "which is in rows itself"),
    Fault("%13 = %6 + 16", "%13 = %14 + 16", "%13 is in rows of %14, which is in rows itself"),
  ]

  static let stepFaults = [
    Fault("copy %5 to %6", "copy %5 to %4", "x.loops:29:5: entry @main, step 0: %4 is only read"),
    Fault("copy %5 to %6", "copy %5 to %50", "there is no buffer %50"),
    Fault("copy %5 to %6", "copy %5 to %11", "%11 has no place"),
    Fault("copy %5 to %6, 64", "copy %5 to %14, 4", "%14 lies in rows, which only kernels read and write"),
    Fault("zero %9, found", "zero %15, 4", "%15 lies in rows, which only kernels read and write"),
    Fault("copy %5 to %6, 64", "copy %5 to %6, 65", "%5 has 64 bytes, not 65"),
    Fault("copy %5 to %6, 64", "copy %5 to %6, found", "found has no value here"),
    Fault("store i64 n to %7 + 0", "store i64 n to %7 + 8", "%7 has 8 bytes, not 16"),
    Fault("store i64 n to %7 + 0", "store i64 n to %7 + 4", "offset 4"),
    Fault("store i64 n", "store i64 mod(n, found)", "found has no value here"),
    Fault("bind found", "bind n", "n has the value the inputs tell"),
    Fault("let double", "let n", "n has the value the inputs tell"),
    Fault("require n == double", "require n == triple", "triple has no value here"),
    Fault("loop i", "loop n", "n has the value the inputs tell"),
    Fault("growing %12 by", "growing %6 by", "%6 does not grow"),
    Fault(" growing %12 by 4 * n bytes", "", "%12 has not begun to grow"),
    Fault("while %7 up to %1", "while %7 up to %1 growing %12 by 4 bytes", "%12 grows in two loops"),
    Fault("as output 1 [found]", "as output 1 [n]", "output 1 is i8<!q>[found]"),
    Fault("as output 1 [found]", "as output 2 [found]", "there is no output 2"),
    Fault("as output 1 [found]", "as output 0 [n, 4]", "output 0 is the caller's memory"),
    Fault("deliver %9", "deliver %1", "%1 is not in the workspace"),
    Fault("deliver %9 as output 1 [found]", "", "only the run tells the size of \"z\", but nothing delivers it"),
    Fault("zero %9", "zero %3", "%3 is an output that is only delivered"),
    Fault("let double = 2 * found", "let double = 9223372036854775806 * found", "is beyond 64 bits"),
  ]

  static let dispatchFaults = [
    Fault("dispatch @k_twice", "dispatch @k_thrice", "there is no kernel @k_thrice"),
    Fault("(read %0, ", "(read %0, read %0, ", "takes 2 buffers and 1 sizes, not 3 and 1"),
    Fault(", 4 * n) parts", ") parts", "takes 2 buffers and 1 sizes, not 2 and 0"),
    Fault("(read %0", "(update %0", "x0 is read, not update"),
    Fault("write %8", "write %0", "%0 is only read"),
    Fault("(read %15", "(read %13", "%14 and %13 are one memory, and one is written"),
    Fault("rows 12 of 16 : 44", "rows 16 of 16 : 48", "%14 and %15 are one memory, and one is written"),
    Fault("rows 12 of 16 : 44", "rows 8 of 20 : 48", "%14 and %15 are one memory, and one is written"),
    Fault("y1: write f32[*] align 4", "y1: write f32[*] align 16", "%14 is aligned to 8, y1 to 16"),
    Fault("(read %0", "(read %10", "%8 and %10 are one memory, and one is written"),
    Fault("x0: read f32[*] align 4", "x0: read f32[*] align 16", "%0 is aligned to 4, x0 to 16"),
    Fault("parts floordiv(n, 8)", "parts floordiv(n, 8 - n)", "-n + 8 may be zero"),
    Fault("kernel @k_twice", "kernel @malloc", "@malloc is no name of a kernel"),
    Fault("kernel @k_twice", "kernel @k_twice() {}\nkernel @k_twice", "two kernels are called @k_twice"),
    Fault("y1: write", "y1: read", "buffer y1 is only read"),
    Fault("add %3, %3", "add %3, %2", "%2 is i64, expected f32"),
    Fault("step 1", "step 0", "the step is 0"),
  ]
}

/// The ```loops blocks of the language's description.
@Suite struct ProgramLanguageTests {
  static let examples: [String] = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = (try? String(contentsOf: root.appending(path: "Docs/Loops.md"), encoding: .utf8)) ?? ""
    return text.components(separatedBy: "```loops\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
  }()

  @Test func thereAreExamples() { #expect(Self.examples.count == 2) }

  @Test(arguments: examples) func exampleReads(_ example: String) throws {
    let result = try ProgramTextTests.parse(example)
    #expect(result.program.text(origin: result.origin) == example)
  }
}
