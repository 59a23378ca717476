/// The states a model passes through; each boundary is verified, prints and reads back.
public enum Phase: String, CaseIterable, Sendable, Comparable {
  /// As the frontend built it.
  case imported
  /// One spelling of each idea; image layout settled; constants folded.
  case canonical
  /// Quantization parameters chosen and inserted.
  case quantized
  /// Ops joined into what becomes one kernel each.
  case fused
  case scheduled, loops, llvm, object, artifact

  public static func < (a: Phase, b: Phase) -> Bool { a.order < b.order }
  private var order: Int { Phase.allCases.firstIndex(of: self) ?? 0 }
}

/// The passes over the graph, in order, and why they are in that order.
public enum Pipeline {
  public struct Step: Sendable {
    /// The phase that this step leads to.
    public var phase: Phase
    public var pass: GraphPass
    /// Why it stands here, where that is not plain.
    public var reason: String?
  }

  /// Demands that every occurrence of `later` has an occurrence of `earlier` before it.
  public struct Order: Sendable {
    public var earlier: String
    public var later: String
    public var because: String
  }

  public static let steps: [Step] = [
    step(.canonical, canonicalize),
    step(.canonical, constantFolding, "shape arithmetic and spelled-out weights vanish before layout counts moves"),
    step(.canonical, canonicalize, "conditions that folding found choose their side: what is rebuilt has none in it"),
    step(.canonical, commonSubexpressions, "equal transposes of one value become one, which layout can move"),
    step(.canonical, rebuildLayerNorm, "equal means are one value by now"),
    step(.canonical, rebuildSoftmax),
    step(.canonical, rebuildActivations),
    step(.canonical, rebuildRope),
    step(.canonical, rebuildAttention),
    step(.canonical, canonicalize, "attention leaves transposes that cancel"),
    step(.canonical, imageLayout),
    step(.canonical, canonicalize, "transposes that met cancel; those over extents of 1 become reshapes"),
    step(.canonical, scalesIntoWeights, "channels are the last axis by now, factors stand beside their convolution"),
    step(.canonical, constantFolding, "weights that layout transposed are stored transposed"),
    step(.canonical, commonSubexpressions),
    step(.canonical, deadCode),
    step(.fused, integerContractions, "a model that is written again keeps its own way to say what is quantized"),
    step(.fused, unpackWeights, "contractions that are still in floats now stay so"),
    step(.fused, constantFolding, "what moved weights that were not known moves none of these"),
    step(.fused, fuseEpilogues),
    step(.fused, deadCode, "fusion leaves weights and constants without a reader"),
  ]

  /// What follows the canonical phase where the graph becomes a file of a format that has channels first.
  public static let exportSteps: [Step] = [
    step(.canonical, channelsFirst, "what the file says of images then needs few transposes"),
    step(.canonical, canonicalize, "transposes that met cancel"),
    step(.canonical, constantFolding, "constants that layout transposed are stored transposed"),
    step(.canonical, commonSubexpressions),
    step(.canonical, deadCode),
  ]

  public static let orders: [Order] = [
    before(commonSubexpressions, rebuildLayerNorm, because: "x less its mean is often computed twice"),
    before(rebuildSoftmax, rebuildAttention, because: "attention is found by its softmax"),
    before(rebuildActivations, scalesIntoWeights, because: "a factor of an activation is none of a convolution"),
    before(rebuildAttention, scalesIntoWeights, because: "a factor on queries is the scale of attention"),
    before(imageLayout, scalesIntoWeights, because: "a transpose keeps a factor from its convolution"),
    before(rebuildAttention, imageLayout, because: "layout moves the transposes that attention is found by"),
    before(imageLayout, integerContractions, because: "a transpose between two ops keeps them apart"),
    before(integerContractions, fuseEpilogues, because: "in a fusion nobody looks for what is dequantized"),
    before(canonicalize, imageLayout, because: "layout matches canonical ops only"),
    before(constantFolding, imageLayout, because: "a constant operand moves through a transpose for free"),
    before(integerContractions, unpackWeights, because: "what is unpacked is no integer any more"),
    before(unpackWeights, fuseEpilogues, because: "folding does not look into fusions' operands through moves"),
    before(imageLayout, fuseEpilogues, because: "a transpose between two ops keeps them apart"),
    before(commonSubexpressions, fuseEpilogues, because: "a value computed twice would be fused twice"),
    before(deadCode, fuseEpilogues, because: "a dead reader makes a value look used twice"),
  ]

  /// The passes that lead from `start` to `end`.
  public static func passes(from start: Phase, to end: Phase) -> [GraphPass] {
    steps.filter { $0.phase > start && $0.phase <= end }.map(\.pass)
  }

  /// What is wrong with an order of steps; empty when nothing is.
  public static func violations(of orders: [Order], in steps: [Step]) -> [String] {
    var result: [String] = []
    for (a, b) in zip(steps, steps.dropFirst()) where b.phase < a.phase {
      result.append("\(b.pass.name) leads back from \(a.phase.rawValue) to \(b.phase.rawValue)")
    }
    for order in orders {
      var seen = false
      for step in steps {
        if step.pass.name == order.earlier { seen = true }
        if step.pass.name == order.later && !seen {
          result.append("\(order.later) runs before \(order.earlier), but \(order.because)")
          break
        }
      }
    }
    return result
  }

  private static func step(_ phase: Phase, _ pass: GraphPass, _ reason: String? = nil) -> Step {
    Step(phase: phase, pass: pass, reason: reason)
  }

  private static func before(_ a: GraphPass, _ b: GraphPass, because reason: String) -> Order {
    Order(earlier: a.name, later: b.name, because: reason)
  }
}
