import CommandLineKit
import Support
import Targets

/// `martlet targets`: the profiles, one a row.
enum TargetsCommand {
  static let command = Command(.targets) { (arguments: Arguments) throws(Diagnostic) in
    let profiles = try Profile.all
    // A machine without a profile of its own can still compile for the others.
    let host = try? Profile.host().name
    if arguments[RunKeys.json] {
      StandardOutput.json(.array(profiles.map { json($0, isHost: $0.name == host) }))
      return .success
    }
    var table = Table(
      ["target", "vectors", "registers", "dot4", "bf16", "threads", "makes", ""], numbers: ["registers", "threads"])
    for profile in profiles {
      let mark = profile.name == host ? "(this machine) " : ""
      table.add([
        profile.name, profile.hasVectors ? "\(profile.vectorBits) bits" : "none", "\(profile.vectorRegisters)",
        profile.dot4.rawValue, profile.hasBF16 ? "yes" : "no", "\(profile.cores)",
        kinds(profile).joined(separator: " "),
        mark + profile.summary,
      ])
    }
    table.print()
    return .success
  }

  /// The suffixes of what can be made for a machine; a program has none.
  private static func kinds(_ profile: Profile) -> [String] {
    var kinds = [".o", ".a"]
    if profile.link.loader != nil { kinds.append(".so") }
    if profile.link.libcPackage != nil { kinds.append("program") }
    return kinds
  }

  private static func json(_ profile: Profile, isHost: Bool) -> JSON {
    var members: [JSON.Member] = []
    func add(_ key: String, _ value: JSON) { members.append(JSON.Member(key, value)) }
    add("name", .string(profile.name))
    add("summary", .string(profile.summary))
    add("host", .bool(isHost))
    add("triple", .string(profile.triple))
    add("cpu", .string(profile.cpu))
    add("tune", .string(profile.tune))
    add("features", .array(profile.features.map { .string($0) }))
    add("requires", .array(profile.requires.map { .string($0) }))
    add("format", .string(profile.format.rawValue))
    add("pointer_bits", .int(profile.pointerBits))
    add("makes", .array(kinds(profile).map { .string($0) }))
    add("vector_bits", .int(profile.vectorBits))
    add("vector_registers", .int(profile.vectorRegisters))
    add("fma", .bool(profile.hasFMA))
    add("f16_conversion", .bool(profile.hasF16Conversion))
    add("bf16", .bool(profile.hasBF16))
    add("dot4", .string(profile.dot4.rawValue))
    add("l1_bytes", .int(profile.l1Bytes))
    add("l2_bytes", .int(profile.l2Bytes))
    add("l3_bytes", .int(profile.l3Bytes))
    add("cores", .int(profile.cores))
    return .object(members)
  }
}
