import Codegen
import IR

/// The ops of a module by what they are called in messages, to say of a step what it computes.
struct SourceOps {
  private struct Found {
    var names: [String]
    var kind: String
    var isAmbiguous = false
  }

  private var found: [String: Found] = [:]

  init(_ module: Module) {
    for function in module.functions {
      for id in function.allOps() {
        let operation = function[id]
        let mnemonic = operation.kind.mnemonic
        let names = operation.locations.isEmpty ? [mnemonic] : operation.locations
        let kind = operation.kind is Fusion ? SourceOps.kind(ofFusion: id, function) : mnemonic
        let site = names.joined(separator: ", ")
        if let known = found[site], known.kind != kind {
          found[site]?.isAmbiguous = true
        } else if found[site] == nil {
          found[site] = Found(names: names, kind: kind)
        }
      }
    }
  }

  /// `conv+add+relu`; a mnemonic that comes several times is said once.
  private static func kind(ofFusion id: OpID, _ function: Function) -> String {
    var mnemonics: [String] = []
    for region in function[id].regions {
      for inner in function.ops(in: region) {
        let mnemonic = function[inner].kind.mnemonic
        if !mnemonics.contains(mnemonic) { mnemonics.append(mnemonic) }
      }
    }
    return mnemonics.isEmpty ? "fusion" : mnemonics.joined(separator: "+")
  }

  /// The source's names of a step, one by one.
  func names(of site: String) -> [String] { found[site]?.names ?? [site] }

  /// What it computes, or, where ops of several kinds share a name, the family of its kernel.
  func kind(of step: ProfiledStep) -> String {
    switch step.work {
    case .copy: return "copy"
    case .fill: return "fill"
    case .deliver: return "deliver"
    case .kernel(let kernel): return kind(of: step.site, kernel: kernel)
    }
  }

  func kind(of site: String, kernel: String) -> String {
    if let op = found[site], !op.isAmbiguous { return op.kind }
    return SourceOps.family(of: kernel)
  }

  /// `k_softmax_<hash>` is of the family softmax.
  static func family(of kernel: String) -> String {
    let parts = kernel.split(separator: "_")
    guard parts.count >= 3, parts[0] == "k" else { return kernel }
    return parts.dropFirst().dropLast().joined(separator: "_")
  }
}
