import Foundation
import Testing

/// The module graph is a table; what is not in it does not build for long.
@Suite struct ArchitectureTests {
  @Test func dependenciesAreThoseAllowed() throws {
    for target in try PackageDescription.current.get().targets where !target.isTest {
      guard let allowed = ModuleGraph.allowed[target.name] else {
        Issue.record("the module \(target.name) is not in Tests/Architecture/ModuleGraph.swift")
        continue
      }
      let added = target.dependencies.subtracting(allowed).sorted()
      #expect(added.isEmpty, "\(target.name) may not depend on \(added.joined(separator: ", "))")
    }
  }

  /// A module that another one brought along can be imported undeclared; that is an edge too.
  @Test func importsAreThoseAllowed() throws {
    for target in try PackageDescription.current.get().targets where !target.isTest {
      let allowed = ModuleGraph.allowed[target.name, default: []].union(ModuleGraph.system)
      for file in SourceFile.all(below: target.path) {
        let added = file.imports.subtracting(allowed).sorted()
        #expect(added.isEmpty, "\(file.path) may not import \(added.joined(separator: ", "))")
      }
    }
  }

  /// An order of the modules exists in which each uses earlier ones only.
  @Test func tableHasNoCycle() {
    var placed: Set<String> = []
    var left = ModuleGraph.allowed
    while let next = left.first(where: { $0.value.isSubset(of: placed) })?.key {
      placed.insert(next)
      left[next] = nil
    }
    #expect(left.isEmpty, "these use each other: \(left.keys.sorted().joined(separator: ", "))")
  }

  /// The table itself may change; these lines may not.
  @Test func layersStayApart() {
    for (module, allowed) in ModuleGraph.allowed {
      #expect(!allowed.contains("CLLVM") || module == "LLVMBackend", "only LLVMBackend imports CLLVM, not \(module)")
    }
    #expect(ModuleGraph.allowed["Formats"] == ["Support"], "formats are ignorant of graphs")
    #expect(ModuleGraph.allowed["IR"] == ["Support"])
    for module in ["IR", "Passes", "Formats", "Frontends"] {
      #expect(ModuleGraph.allowed[module]?.contains("Targets") == false, "\(module) is the same for every machine")
    }
    #expect(ModuleGraph.allowed["Codegen"]?.contains("LLVMBackend") == false)
  }

  /// Files are read by people: a longer one holds more than one idea.
  @Test(arguments: ["IR", "Targets", "Sources"])
  func filesAreShort(_ folder: String) {
    for file in SourceFile.all(below: folder) {
      #expect(file.lineCount <= 800, "\(file.path) has \(file.lineCount) lines")
    }
  }

  @Test func importsAreFound() {
    #expect(SourceFile.importedModule("import IR") == "IR")
    #expect(SourceFile.importedModule("public import struct IR.Dim") == "IR")
    #expect(SourceFile.importedModule("@testable import IR  // why") == "IR")
    #expect(SourceFile.importedModule("// an import of IR") == nil)
  }
}
