import Codegen
import IR
import Support
import Targets
import Testing

/// Every op against independent peers: `evaluate`, and the program compiled for one machine, which is interpreted.
@Suite struct OracleTests {
  @Test(arguments: OracleCase.byOp.keys.sorted()) func evaluationAgrees(_ op: String) throws {
    for item in OracleCase.byOp[op] ?? [] {
      do {
        let module = try item.module()
        let given = try Evaluator(module).run("main", try item.inputTensors().map { .tensor($0) })
        for (result, expected) in zip(try given.map { try $0.expectTensor() }, try item.expected()) {
          if let complaint = item.tolerance.complaint(result, expected) {
            Issue.record("\(item.body) on \(item.inputs.map(\.type)), said \(item.peer): \(complaint)")
          }
        }
      } catch {
        Issue.record("\(item.body) on \(item.inputs.map(\.type)): \(error)")
      }
    }
  }

  @Test(arguments: OracleCase.byOp.keys.sorted()) func compiledProgramsAgree(_ op: String) throws {
    let profile = try Profile.named("x86-64-v3")
    for item in OracleCase.byOp[op] ?? [] {
      do throws(any Error) {
        let module = try item.module()
        let program = try Scheduler.schedule(module, for: profile)
        let interpreter = try ProgramInterpreter(program, threads: 1)
        let given = try interpreter.run("main", try item.inputTensors())
        for (result, expected) in zip(given, try item.expected()) {
          if let complaint = item.tolerance.complaint(result, expected, compiled: true) {
            Issue.record("\(item.body) on \(item.inputs.map(\.type)), said \(item.peer): \(complaint)")
          }
        }
      } catch {
        Issue.record("\(item.body) on \(item.inputs.map(\.type)): \(error)")
      }
    }
  }
}
