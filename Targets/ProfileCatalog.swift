import CData
import Support

extension Profile {
  /// The name that stands for the machine Martlet runs on.
  public static let hostName = "host"

  /// Every profile there is, narrower machines of a kind first.
  public static var all: [Profile] {
    get throws(Diagnostic) { try catalog.get() }
  }

  /// Names to ask `named` for, without `host`.
  public static var names: [String] { embedded.map(\.name) }

  /// The profile called `name`; `host` is the machine Martlet runs on.
  public static func named(_ name: String) throws(Diagnostic) -> Profile {
    if name == hostName { return try host() }
    if let profile = try all.first(where: { $0.name == name }) { return profile }
    throw .usage("unknown target \"\(name)\"", hint: choiceHint(for: name, among: names + [hostName]))
  }

  /// The text of a profile, as the file in `Targets/Profiles` has it.
  private static let embedded: [(name: String, text: [UInt8])] = (0..<cdata_profile_count()).map { index in
    let profile = cdata_profile(index)
    let text = UnsafeRawBufferPointer(start: profile.text, count: profile.length)
    return (String(cString: profile.name), Array(text))
  }

  static func embeddedText(_ name: String) -> [UInt8]? { embedded.first { $0.name == name }?.text }

  private static let catalog: Result<[Profile], Diagnostic> = {
    var profiles: [Profile] = []
    for (name, _) in embedded {
      do throws(Diagnostic) {
        profiles.append(try ProfileReader.read(name, text: embeddedText))
      } catch {
        return .failure(error)
      }
    }
    return .success(profiles)
  }()
}
