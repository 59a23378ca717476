/// The modules and what each may use. A new edge is a decision about the architecture: it is made here, and
/// `Docs/Architecture.md` tells why.
enum ModuleGraph {
  static let allowed: [String: Set<String>] = [
    // What everybody may use, and embedded data.
    "Support": [],
    "CData": [],
    "CMartlet": [],

    // What Martlet knows.
    "IR": ["Support"],
    "Targets": ["Support", "CData"],

    // What it does. Formats know nothing of graphs, and code generation nothing of LLVM.
    "Formats": ["Support"],
    "Frontends": ["IR", "Formats", "Support"],
    "Emit": ["IR", "Formats", "Support"],
    "Passes": ["IR", "Support"],
    "Quantization": ["IR", "Support"],
    "Codegen": ["IR", "Targets", "Support"],
    "CLLVM": [],
    "LLVMBackend": ["Codegen", "CLLVM", "Targets", "Support"],

    // What puts it together.
    "CommandLineKit": ["Support"],
    "Driver": [
      "Frontends", "Emit", "Formats", "Passes", "Quantization", "IR", "Codegen", "LLVMBackend", "Targets", "CData",
      "CMartlet", "CommandLineKit", "Support",
    ],
    "CAPI": ["Driver", "Support"],
    "martlet": ["Driver", "CommandLineKit", "Support"],

    // Modules that only tests use.
    "TestSupport": [],
    "TestGraphs": ["IR", "Support", "TestSupport"],
  ]

  /// What belongs to the language or the system.
  static let system: Set<String> = ["Swift", "Synchronization", "Glibc", "FoundationEssentials"]
}
