import IR
import Passes
import Testing

@Suite struct PipelineTests {
  @Test func ordersHold() { #expect(Pipeline.violations(of: Pipeline.orders, in: Pipeline.steps) == []) }

  @Test func ordersAreChecked() {
    #expect(!Pipeline.violations(of: Pipeline.orders, in: Pipeline.steps.reversed()).isEmpty)
  }

  @Test func everyPassHasAName() {
    let names = PassRegistry.all.map(\.name)
    #expect(Set(names).count == names.count)
    for step in Pipeline.steps { #expect(names.contains(step.pass.name)) }
    for order in Pipeline.orders { #expect(names.contains(order.earlier) && names.contains(order.later)) }
  }

  @Test func phasesSelectSteps() {
    #expect(
      Pipeline.passes(from: .canonical, to: .fused).map(\.name)
        == ["integer-contractions", "unpack-weights", "constant-folding", "fuse-epilogues", "dead-code"])
  }
}
