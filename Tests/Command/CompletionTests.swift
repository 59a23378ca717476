import Foundation
import TestSupport
import Testing

/// `completion`: what shells are taught.
@Suite struct CompletionTests {
  /// What bash would offer for the last of `words`.
  private func offers(_ words: [String], _ script: String) throws -> Set<String>? {
    guard FileManager.default.isExecutableFile(atPath: "/bin/bash") else {
      print("skipped: there is no /bin/bash")
      return nil
    }
    let program = """
      source "$1"; shift
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
      _martlet_complete
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let result = try Martlet.run("/bin/bash", ["--norc", "-c", program, "bash", script] + words)
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
    return Set(result.output.split(separator: "\n").map(String.init))
  }

  @Test func bashOffersWhatFits() throws {
    let folder = try TestFolder()
    let text = try Martlet.run("completion", "bash")
    #expect(text.status == 0)
    let script = try folder.write(text.output, to: "martlet.bash")
    let file = try folder.write("", to: "model.mir")
    let start = String(file.dropLast(4))
    let exact: [([String], Set<String>)] = [
      (["martlet", "comp"], ["compile", "completion"]), (["martlet", "help", "insp"], ["inspect"]),
      (["martlet", "compile", "m.onnx", "--emit", "s"], ["shared", "static"]),
      (["martlet", "compile", "m.onnx", "--emit", "=", "gr"], ["graph"]),
      (["martlet", "compile", "m.onnx", "--em"], ["--emit"]),
      (["martlet", "run", "--target", "aarch"], ["aarch64"]),
      (["martlet", "run", "--target", "=", "aarch"], ["aarch64"]),
      (["martlet", "compile", start], [file]), (["martlet", "compile", "-o", start], [file]),
      (["martlet", "compile", "--dump", folder.path], [folder.path]),
      (["martlet", "completion", ""], ["bash", "zsh", "fish"]),
      (["martlet", "reduce", "m.mir", "--fails", "ver"], ["verify"]), (["martlet", "bench", "--threads", ""], []),
      // Values of options are no positionals, and hidden commands stay hidden.
      (["martlet", "targets", ""], []), (["martlet", "bench-w"], []),
    ]
    for (words, wanted) in exact {
      guard let found = try offers(words, script) else { return }
      #expect(found == wanted, "\(words)")
    }
    let targets = try Martlet.run("targets", "--json").json.array?.compactMap { $0["name"]?.string } ?? []
    let offered = try offers(["martlet", "compile", "--target", ""], script) ?? []
    #expect(!targets.isEmpty && offered == Set(targets))
  }

  /// Every command and option is there, for every shell, and the scripts are those of the shell where it is installed.
  @Test(arguments: ["bash", "zsh", "fish"]) func scriptsAreComplete(_ shell: String) throws {
    let folder = try TestFolder()
    let script = try Martlet.run("completion", shell).output
    for word in ["compile", "reduce", "completion", "znver5", "verify", "emit"] {
      #expect(script.contains(word), "\(word)")
    }
    #expect(!script.contains("bench-worker"))
    let file = try folder.write(script, to: "script")
    let found = ["/bin", "/usr/bin", "/usr/local/bin"].map { "\($0)/\(shell)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
    guard let found else { return print("skipped: there is no \(shell) that could read the script") }
    let checked = try Martlet.run(found, ["-n", file])
    #expect(checked.status == 0 && checked.errors.isEmpty, "\(checked.errors)")
  }

  @Test func unknownShellsAreRefused() throws {
    let result = try Martlet.run("completion", "bsh")
    #expect(result.status == 2 && result.isOneLine && result.errors.contains("bash"))
  }
}
