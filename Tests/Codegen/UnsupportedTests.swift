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
      %s = sequence_make %x, %x : seq<f32[3]> loc "onnx:/list/SequenceConstruct"
      %i = constant {value = i64[] [1]} : i64[]
      %last = sequence_at %s, %i : f32[3] loc "onnx:/list/SequenceAt"
      """)
    #expect(error.kind == .unsupported)
    #expect(error.message.contains("sequence_make"))
    #expect(error.location?.path == "onnx:/list/SequenceConstruct")
  }

  @Test func strings() throws {
    let gathered = try refusal(
      """
      %s = constant {value = str[2] ["a", "b"]} : str[2] loc "onnx:/words/Constant"
      %g = gather %s, %i {axis = 0} : str[3] loc "onnx:/words/Gather"
      %last = concat %g, %g {axis = 0} : str[6] loc "onnx:/words/Concat"
      """, "%i: i64[3]", "str[6]")
    #expect(gathered.kind == .unsupported, "\(gathered)")
    #expect(gathered.message.contains("constant: strings"), "\(gathered)")
    #expect(gathered.location?.path == "onnx:/words/Constant")
    let given = try refusal("%last = concat %s, %s {axis = 0} : str[4]", "%s: str[2]", "str[4]")
    #expect(given.kind == .unsupported && given.message.contains("input \"s\""), "\(given)")
  }
}
