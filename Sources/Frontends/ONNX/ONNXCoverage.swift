/// Which operators of the format have a mapping, for the table of `martlet ops --coverage`.
public enum ONNXCoverage {
  public struct Row: Sendable {
    /// With its domain in front, where that is not the format's own.
    public let name: String
    /// The operator sets from which the format changed it, of those that are read.
    public let defined: [Int]
    /// The operator sets that it is read from; neighbouring ranges are joined.
    public let read: [ClosedRange<Int>]
    /// The definitions that are not read.
    public let missing: [ClosedRange<Int>]
  }

  /// The operators of the format, domain by domain, and then those that are nobody's standard.
  public static let rows: [Row] = {
    var served = ranges
    var rows: [Row] = []
    for domain in ONNXSchemas.domains {
      let prefix = domain.name.isEmpty ? "" : domain.name + "."
      var versions: [String: [ClosedRange<Int>]] = [:]
      for version in ONNXSchemas.versions(of: domain) {
        versions[prefix + version.name, default: []].append(version.sets)
      }
      for (name, sets) in versions.sorted(by: { $0.key < $1.key }) {
        let read = joined(served.removeValue(forKey: name) ?? [])
        let missing = sets.filter { set in
          !read.contains { $0.lowerBound <= set.lowerBound && set.upperBound <= $0.upperBound }
        }
        rows.append(Row(name: name, defined: sets.map(\.lowerBound), read: read, missing: missing))
      }
    }
    for (name, sets) in served.sorted(by: { $0.key < $1.key }) {
      rows.append(Row(name: name, defined: [], read: joined(sets), missing: []))
    }
    return rows
  }()

  /// Every mapping, operator by operator: the operator sets, the attributes it knows and how many inputs it takes.
  public static let mappings: [(name: String, sets: ClosedRange<Int>, attributes: [String], inputs: ClosedRange<Int>)] =
    ONNXMapping.families.joined().flatMap { mapping in
      mapping.operators.map { name in
        (
          name: (mapping.domain.isEmpty ? "" : mapping.domain + ".") + name, sets: mapping.versions,
          attributes: mapping.attributes, inputs: mapping.inputs
        )
      }
    }

  private static var ranges: [String: [ClosedRange<Int>]] {
    var ranges: [String: [ClosedRange<Int>]] = [:]
    for family in ONNXMapping.families {
      for mapping in family {
        let prefix = mapping.domain.isEmpty ? "" : mapping.domain + "."
        for name in mapping.operators { ranges[prefix + name, default: []].append(mapping.versions) }
      }
    }
    return ranges
  }

  private static func joined(_ ranges: [ClosedRange<Int>]) -> [ClosedRange<Int>] {
    var result: [ClosedRange<Int>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = result.last, range.lowerBound <= last.upperBound + 1 {
        result[result.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        result.append(range)
      }
    }
    return result
  }
}
