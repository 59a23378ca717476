import Support

extension Program {
  /// The same program with kernels named by what they hold, as everything behind this relies on: caches look kernels up
  /// by name alone. Only a kernel that somebody has edited changes its name; kernels that became equal become one.
  public func namingKernelsByContent() -> Program {
    var names: [String: String] = [:]
    var kept: [Kernel] = []
    var seen: Set<String> = []
    for kernel in kernels {
      let hash = "_\(kernel.contentHash)"
      var named = kernel
      if !kernel.name.hasSuffix(hash) { named.name = "k_\(Self.family(kernel.name))\(hash)" }
      names[kernel.name] = named.name
      if seen.insert(named.name).inserted { kept.append(named) }
    }
    guard names.contains(where: { $0.key != $0.value }) else { return self }
    var result = self
    result.kernels = kept
    for number in entries.indices { result.entries[number].body = Self.renamed(entries[number].body, names) }
    return result
  }

  /// `conv` of `k_conv_8c2f...`: what stands between the letter and the hash.
  private static func family(_ name: String) -> String {
    var parts = name.split(separator: "_", omittingEmptySubsequences: false)
    if parts.first == "k" { parts.removeFirst() }
    if let last = parts.last, last.utf8.count == 32, last.allSatisfy(\.isHexDigit) { parts.removeLast() }
    return parts.isEmpty ? "edited" : parts.joined(separator: "_")
  }

  private static func renamed(_ steps: [Step], _ names: [String: String]) -> [Step] {
    steps.map { step in
      switch step {
      case .dispatch(var dispatch):
        dispatch.kernel = names[dispatch.kernel] ?? dispatch.kernel
        return .dispatch(dispatch)
      case .ifElse(let condition, let then, let otherwise):
        return .ifElse(condition: condition, then: renamed(then, names), else: renamed(otherwise, names))
      case .loop(let counter, let trip, let condition, let growing, let body):
        return .loop(
          counter: counter, trip: trip, condition: condition, growing: growing, body: renamed(body, names))
      default: return step
      }
    }
  }
}
