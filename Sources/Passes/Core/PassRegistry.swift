/// Every pass by name: what `martlet passes` lists and `martlet opt` finds.
public enum PassRegistry {
  public static let all: [GraphPass] = [
    canonicalize,
    channelsFirst,
    commonSubexpressions,
    constantFolding,
    deadCode,
    fuseEpilogues,
    imageLayout,
    integerContractions,
    rebuildActivations,
    rebuildAttention,
    rebuildLayerNorm,
    rebuildRope,
    rebuildSoftmax,
    scalesIntoWeights,
    unpackWeights,
  ]

  public static func pass(_ name: String) -> GraphPass? { all.first { $0.name == name } }
}
