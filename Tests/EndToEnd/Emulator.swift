import Foundation
import Targets
import TestSupport

/// What runs the programs of a profile that this machine does not run.
struct Emulator {
  private let command: [String]
  private let environment: [String: String]
  private let isBoard: Bool

  /// Throws a `Missing` with the reason where there is none, or no C library to link programs with.
  init(for profile: Profile) throws {
    guard let wanted = profile.emulator, let name = wanted.first else {
      throw Missing(reason: "\(profile.name) has no emulator")
    }
    if let path = Self.find(name) {
      command = [path] + wanted.dropFirst()
      environment = [:]
    } else {
      // A script may stand in for the command, with what `make setup` put aside for it.
      let script = TestPaths.root.appendingPathComponent("Tests/Tools/run_\(name).py").path
      let packages = TestPaths.root.appendingPathComponent(".build/tools/\(name)").path
      guard FileManager.default.fileExists(atPath: script), FileManager.default.fileExists(atPath: packages) else {
        throw Missing(reason: "there is no \(name)")
      }
      command = ["python3", script]
      environment = ["PYTHONPATH": packages]
    }
    isBoard = Self.isBoard(profile)
    let folder = try TestFolder()
    let source = try folder.write("int main(void) { return 0; }\n", to: "empty.c")
    do {
      try Self.link(profile, [source, "-o", folder["empty"]])
    } catch {
      throw Missing(reason: "there is no C library for \(profile.name)")
    }
  }

  struct Missing: Error, CustomStringConvertible {
    var reason: String
    var description: String { reason }
  }

  @discardableResult
  func run(_ program: String, _ arguments: [String], in folder: String) throws -> String {
    // A board has no command line; its program knows the names of its files.
    let words = isBoard ? [] : arguments
    return try TestTool.run(command[0], command.dropFirst() + [program] + words, in: folder, environment: environment)
  }

  /// Compiles and links a program for the profile.
  static func link(_ profile: Profile, _ arguments: [String]) throws {
    var flags = ["--target=\(profile.link.clangTriple)", "-O1", "-w"] + profile.link.clangFlags
    if profile.format == .elf { flags += ["-static", "-fuse-ld=lld-22"] }
    if isBoard(profile) {
      // The headers of any C library do; the functions are in the file.
      let sysroot = try Profile.named("armv7a-neon").link.sysroot ?? ""
      let place = TestPaths.here
      flags += [
        "-fno-builtin", "-nostdlib", "-isystem", "\(sysroot)/include",
        "-Wl,-T,\(place.appendingPathComponent("board.ld").path)", place.appendingPathComponent("board.c").path,
      ]
    }
    try TestTool.run("clang-22", flags + arguments + profile.link.linkFlags)
  }

  /// Whether there is no system below the program.
  private static func isBoard(_ profile: Profile) -> Bool { profile.link.libcPackage == nil }

  private static func find(_ name: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}
