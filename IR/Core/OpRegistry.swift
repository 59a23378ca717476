/// Every op kind by mnemonic. Families add their kinds; nothing else lists ops.
public enum OpRegistry {
  /// One list a family: a new op is its file and one entry in its family's list.
  public static let families: [(name: String, kinds: [any OpKind.Type])] = [
    ("elementwise", elementwiseOps),
    ("contraction", contractionOps),
    ("reduction", reductionOps),
    ("normalization", normalizationOps),
    ("attention", attentionOps),
    ("recurrent", recurrentOps),
    ("window", windowOps),
    ("movement", movementOps),
    ("indexing", indexingOps),
    ("ordering", orderingOps),
    ("image", imageOps),
    ("shape", shapeOps),
    ("quantization", quantizationOps),
    ("random", randomOps),
    ("control", controlOps),
    ("state", stateOps),
    ("sequence", sequenceOps),
    ("optional", optionalOps),
    ("string", stringOps),
    ("ensemble", ensembleOps),
  ]

  private static let byMnemonic: [String: any OpKind.Type] = {
    var result: [String: any OpKind.Type] = [:]
    for family in families {
      for kind in family.kinds {
        for mnemonic in kind.mnemonics {
          precondition(result[mnemonic] == nil, "two ops are called \(mnemonic)")
          result[mnemonic] = kind
        }
      }
    }
    return result
  }()

  /// The kind called `mnemonic`, with default attributes.
  public static func make(_ mnemonic: String) -> (any OpKind)? {
    byMnemonic[mnemonic].map { $0.init(mnemonic: mnemonic) }
  }

  public static var mnemonics: [String] { byMnemonic.keys.sorted() }
}
