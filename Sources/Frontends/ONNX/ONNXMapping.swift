import Formats
import IR
import Support

/// How some operators become graph ops, for a range of operator set versions.
///
/// One file a mapping, one line in the table of its family: nothing else lists operators.
struct ONNXMapping: Sendable {
  typealias Map = @Sendable (ONNXNodeContext) throws(Diagnostic) -> [ValueID]

  let operators: [String]
  /// The versions of the operator set in which `map` is right.
  let versions: ClosedRange<Int>
  /// How many inputs a node may list, absent optional ones included.
  let inputs: ClosedRange<Int>
  /// Every attribute that the format defines for these operators in these versions.
  let attributes: [String]
  /// "" is the format's own operator set.
  let domain: String
  let map: Map

  init(
    _ operators: [String], _ versions: ClosedRange<Int>, inputs: ClosedRange<Int>, attributes: [String] = [],
    domain: String = "", map: @escaping Map
  ) {
    self.operators = operators
    self.versions = versions
    self.inputs = inputs
    self.attributes = attributes
    self.domain = domain
    self.map = map
  }

  /// The newest operator set that the mappings were checked against.
  static let newest = 28

  private static let byName: [String: [ONNXMapping]] = {
    var result: [String: [ONNXMapping]] = [:]
    for family in families {
      for mapping in family {
        for name in mapping.operators { result[key(mapping.domain, name), default: []].append(mapping) }
      }
    }
    return result
  }()

  private static func key(_ domain: String, _ name: String) -> String { domain + "/" + name }

  static func find(_ name: String, domain: String, version: Int) -> ONNXMapping? {
    byName[key(domain, name)]?.first { $0.versions.contains(version) }
  }

  /// The versions in which an operator is served at all; empty where it never is.
  static func versions(of name: String, domain: String) -> [ClosedRange<Int>] {
    byName[key(domain, name)]?.map(\.versions) ?? []
  }
}
