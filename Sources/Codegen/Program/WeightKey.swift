/// What bytes of the weights section are: a weight of the model, a constant of its code, or what packing made of one.
///
/// A key and not a name, since names are the model's: no name of a weight is ever taken for another's packed form.
public struct WeightKey: Hashable, Sendable {
  enum Origin: Hashable, Sendable {
    case weight(String)
    /// By its content.
    case constant(String)
  }

  let origin: Origin
  private(set) var derivations: [String] = []

  init(_ origin: Origin) { self.origin = origin }

  /// The weight of this name as it is.
  public static func weight(_ name: String) -> WeightKey { WeightKey(.weight(name)) }

  /// What `derivation` makes of it.
  func derived(_ derivation: String) -> WeightKey {
    var result = self
    result.derivations.append(derivation)
    return result
  }

  /// For people; others may be called the same.
  var label: String {
    let base =
      switch origin {
      case .weight(let name): name
      case .constant(let content): content
      }
    return ([base] + derivations).joined(separator: "@")
  }
}
