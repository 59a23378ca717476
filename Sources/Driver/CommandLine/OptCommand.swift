import CommandLineKit
import IR
import Passes
import Support

/// `martlet opt`: passes over a graph in text, for those who work on passes.
enum OptCommand {
  static let command = Command(.opt) { (arguments: Arguments) throws(Diagnostic) in
    let path = arguments.positionals[0]
    let names = arguments[RunKeys.passes].split(separator: ",").map(String.init)
    var passes: [GraphPass] = []
    for name in names {
      guard let pass = PassRegistry.pass(name) else {
        throw .usage("there is no pass \(name)", hint: choiceHint(for: name, among: PassRegistry.all.map(\.name)))
      }
      passes.append(pass)
    }
    var module = try ModelLoader.load(path).0
    try Verifier.verify(module)
    var manager = PassManager()
    manager.verifiesEach = true
    try manager.run(passes, on: &module)
    StandardOutput.line(module.text())
    return .success
  }
}
