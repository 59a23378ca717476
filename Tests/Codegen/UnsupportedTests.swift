import IR
import Support
import Targets
import Testing

@testable import Codegen

/// What has no code says which op it is and where in the source it stands.
@Suite struct UnsupportedTests {
  private func refusal(_ body: String, _ inputs: String = "%x: f32[3]", _ result: String = "f32[3]") throws
    -> Diagnostic
  {
    let text = "module @m {\nentry @main(\(inputs)) -> (%y: \(result)) {\n\(body)\nreturn %last\n}\n}"
    let module = try ModuleParser.parse(text, file: "m.mir")
    try Verifier.verify(module)
    do throws(Diagnostic) {
      _ = try Scheduler.schedule(module, for: try Profile.named("x86-64-v3"))
    } catch { return error }
    throw Diagnostic.bug("it has code")
  }

  @Test func sequences() throws {
    let error = try refusal(
      """
      %s = sequence_split %x {axis = 0, keep = false, member = i4[]} : seq<i4[]> loc "onnx:/list/SplitToSequence"
      %i = constant {value = i64[] [1]} : i64[]
      %last = sequence_at %s, %i : i4[] loc "onnx:/list/SequenceAt"
      """, "%x: i4[3]", "i4[]")
    #expect(error.kind == .unsupported)
    #expect(error.message.contains("sequence_split"))
    #expect(error.location?.path == "onnx:/list/SplitToSequence")
  }
}
