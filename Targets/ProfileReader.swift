import Support

/// Makes a profile of JSON text. Every error names the file and the field.
///
/// `"like"` names the profile that supplies what a file leaves out. Lists
/// (`features`, `requires`) are added to the inherited ones, everything else replaces.
struct ProfileReader {
  /// The fields of the files from the one asked for up to the root of its inheritance.
  private var layers: [(file: String, fields: JSON)] = []
  private let name: String

  /// What else a file may hold: a name to inherit from, and words for its readers.
  private static let extraFields: Set<String> = ["like", "note"]

  /// `text` gives the content of the profile called so, or nil.
  static func read(_ name: String, text: (String) -> [UInt8]?) throws(Diagnostic) -> Profile {
    var reader = ProfileReader(name: name)
    try reader.collect(text)
    return try reader.profile()
  }

  private init(name: String) { self.name = name }

  private static func file(_ name: String) -> String { "\(name).json" }

  private mutating func collect(_ text: (String) -> [UInt8]?) throws(Diagnostic) {
    var next: String? = name
    var seen: Set<String> = []
    while let current = next {
      let file = ProfileReader.file(current)
      guard seen.insert(current).inserted else {
        throw .invalid("inherits from itself", at: Location(file: file, path: "like"))
      }
      guard let bytes = text(current) else {
        let place = layers.last.map { Location(file: $0.file, path: "like") }
        throw .invalid("there is no profile \(current)", at: place ?? Location(file: file))
      }
      let fields = try JSON.parse(bytes, file: file)
      guard fields.members != nil else { throw .invalid("an object expected", at: Location(file: file)) }
      layers.append((file, fields))
      if let like = fields["like"] {
        guard let parent = like.string else { throw mistake("a profile's name expected", "like", file) }
        next = parent
      } else {
        next = nil
      }
    }
  }

  private func mistake(_ message: String, _ field: String, _ file: String) -> Diagnostic {
    .invalid(message, at: Location(file: file, path: field))
  }

  private var ownFile: String { ProfileReader.file(name) }

  // MARK: Fields

  private func field(_ name: String) throws(Diagnostic) -> (value: JSON, file: String) {
    for layer in layers {
      if let value = layer.fields[name] { return (value, layer.file) }
    }
    throw mistake("is missing", name, ownFile)
  }

  private func string(_ name: String) throws(Diagnostic) -> String {
    let (value, file) = try field(name)
    guard let text = value.string else { throw mistake("text expected", name, file) }
    return text
  }

  /// Text that must say something.
  private func word(_ name: String) throws(Diagnostic) -> String {
    let text = try string(name)
    guard !text.isEmpty else { throw mistake("is empty", name, try field(name).file) }
    return text
  }

  private func optional(_ name: String) throws(Diagnostic) -> String? {
    let text = try string(name)
    return text.isEmpty ? nil : text
  }

  private func count(_ name: String, _ range: ClosedRange<Int> = 1...(1 << 50)) throws(Diagnostic) -> Int {
    let (value, file) = try field(name)
    guard let number = value.int else { throw mistake("a whole number expected", name, file) }
    guard range.contains(number) else {
      throw mistake("\(number) is not within \(range.lowerBound) and \(range.upperBound)", name, file)
    }
    return number
  }

  private func limit(_ name: String) throws(Diagnostic) -> Int? {
    let number = try count(name, 0...(1 << 50))
    return number == 0 ? nil : number
  }

  private func flag(_ name: String) throws(Diagnostic) -> Bool {
    let (value, file) = try field(name)
    guard let flag = value.bool else { throw mistake("true or false expected", name, file) }
    return flag
  }

  private func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, _: Choice.Type
  ) throws(Diagnostic) -> Choice where Choice.RawValue == String {
    let text = try string(name)
    guard let choice = Choice(rawValue: text) else {
      let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw mistake("\"\(text)\" is none of \(all)", name, try field(name).file)
    }
    return choice
  }

  /// The list from the root of the inheritance down to this profile.
  private func list(_ name: String) throws(Diagnostic) -> [String] {
    var result: [String] = []
    for layer in layers.reversed() {
      guard let value = layer.fields[name] else { continue }
      guard let items = value.array else { throw mistake("a list expected", name, layer.file) }
      for item in items {
        guard let text = item.string, !text.isEmpty else { throw mistake("a list of texts expected", name, layer.file) }
        guard !result.contains(text) else { throw mistake("\(text) comes twice", name, layer.file) }
        result.append(text)
      }
    }
    return result
  }

  // MARK: The profile

  private func profile() throws(Diagnostic) -> Profile {
    var known = ProfileReader.extraFields
    /// Notes the field as one that files may hold.
    func use(_ name: String) -> String {
      known.insert(name)
      return name
    }
    let link = Profile.Link(
      emulation: try word(use("emulation")),
      clangTriple: try word(use("clangTriple")),
      clangFlags: try list(use("clangFlags")),
      linkFlags: try list(use("linkFlags")),
      loader: try optional(use("loader")),
      libcPackage: try optional(use("libcPackage")),
      sysroot: try optional(use("sysroot")))
    let profile = Profile(
      name: name,
      summary: try word(use("summary")),
      triple: try word(use("triple")),
      cpu: try word(use("cpu")),
      tune: try word(use("tune")),
      features: try list(use("features")),
      requires: try list(use("requires")),
      format: try choice(use("format"), Profile.Format.self),
      pointerBits: try count(use("pointerBits"), 32...64),
      isPositionIndependent: try flag(use("isPositionIndependent")),
      hasThreads: try flag(use("hasThreads")),
      hasHeap: try flag(use("hasHeap")),
      vectorBits: try count(use("vectorBits"), 32...4096),
      vectorRegisters: try count(use("vectorRegisters"), 4...256),
      hasFMA: try flag(use("hasFMA")),
      hasRounding: try flag(use("hasRounding")),
      hasF64: try flag(use("hasF64")),
      needsHelpers: try flag(use("needsHelpers")),
      flushesSubnormals: try flag(use("flushesSubnormals")),
      hasF16Conversion: try flag(use("hasF16Conversion")),
      hasBF16: try flag(use("hasBF16")),
      dot4: try choice(use("dot4"), Profile.Dot4.self),
      fmaUnits: try count(use("fmaUnits"), 1...16),
      fmaLatency: try count(use("fmaLatency"), 1...64),
      loadUnits: try count(use("loadUnits"), 1...16),
      lineBytes: try count(use("lineBytes"), 16...1024),
      l1Bytes: try count(use("l1Bytes")),
      l2Bytes: try count(use("l2Bytes")),
      l3Bytes: try count(use("l3Bytes")),
      cores: try count(use("cores"), 1...1024),
      link: link,
      emulator: try optional(use("emulator")).map { $0.split(separator: " ").map(String.init) },
      memoryLimitBytes: try limit(use("memoryLimitBytes")),
      codeLimitBytes: try limit(use("codeLimitBytes")))
    for layer in layers {
      for member in layer.fields.members ?? [] where !known.contains(member.key) {
        let near = closest(to: member.key, among: known.sorted())
        throw .invalid(
          "no such field", at: Location(file: layer.file, path: member.key),
          hint: near.map { "did you mean \($0)?" })
      }
    }
    return profile
  }
}
