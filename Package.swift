// swift-tools-version: 6.2
import PackageDescription

/// `MARTLET_LLVM=0` leaves out everything that needs LLVM, so that the IR, the
/// formats and the passes build and test on a machine that has only Swift.
let withLLVM = Context.environment["MARTLET_LLVM"] != "0"

/// Where LLVM 22 lives; the default is Debian's.
let llvmRoot = Context.environment["MARTLET_LLVM_DIR"] ?? "/usr/lib/llvm-22"

/// Every module that sees `CLLVM`, directly or through `LLVMBackend`, needs its headers on the path.
let llvmHeaders: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-isystem", "-Xcc", llvmRoot + "/include"])]
let llvmLibrary: [LinkerSetting] = [
  .unsafeFlags(["-L" + llvmRoot + "/lib", "-Xlinker", "-rpath", "-Xlinker", llvmRoot + "/lib"])
]

/// One Swift module of the project. Every module is built in Swift 6 mode.
func module(
  _ name: String, at path: String, uses dependencies: [Target.Dependency] = [], exclude: [String] = [],
  settings: [SwiftSetting] = [], linker: [LinkerSetting] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: settings,
    linkerSettings: linker)
}

func tests(
  _ name: String, uses dependencies: [Target.Dependency], exclude: [String] = [], settings: [SwiftSetting] = []
) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: dependencies, path: "Tests/" + name, exclude: exclude,
    swiftSettings: settings)
}

// What Martlet knows and what it does, in dependency order.
var targets: [Target] = [
  .target(name: "CData", path: "Sources/CData"),
  module("Support", at: "Sources/Support"),
  module("IR", at: "IR", uses: ["Support"], exclude: ["Spec.md", "Ops.md"]),
  module("Targets", at: "Targets", uses: ["Support", "CData"], exclude: ["Profiles"]),
  module("Formats", at: "Sources/Formats", uses: ["Support"]),
  module("Frontends", at: "Sources/Frontends", uses: ["IR", "Formats", "Support"]),
  module("Emit", at: "Sources/Emit", uses: ["IR", "Formats", "Support"]),
  module("Passes", at: "Sources/Passes", uses: ["IR", "Support"]),
  module("Codegen", at: "Sources/Codegen", uses: ["IR", "Targets", "Support"]),

  module("CommandLineKit", at: "Sources/CommandLineKit", uses: ["Support"]),

  tests("Support", uses: ["Support", "TestSupport"]),
  tests("CommandLineKit", uses: ["CommandLineKit", "Support"]),
  tests("Targets", uses: ["Targets", "Support"]),
  tests(
    "IR", uses: ["IR", "Support", "TestGraphs"],
    exclude: [
      "Invalid", "RoundTrip", "Ops/make_reference.py", "Ops/reference.json", "Ops/make_index_reference.py",
      "Ops/index_reference.json",
    ]),
  module("TestSupport", at: "Tests/TestSupport"),
  module("TestGraphs", at: "Tests/TestGraphs", uses: ["IR", "Support", "TestSupport"]),
  tests("Formats", uses: ["Formats", "Support", "TestSupport"], exclude: ["Samples"]),
  tests("Passes", uses: ["Passes", "IR", "Support", "TestSupport"], exclude: ["Cases"]),
  tests(
    "Frontends", uses: ["Frontends", "Formats", "IR", "Support"],
    exclude: ["Cases", "coverage.py", "make_cases.py", "node_suite.py"]),
  tests("Emit", uses: ["Emit", "Frontends", "Passes", "Formats", "IR", "Support", "TestGraphs", "TestSupport"]),
  tests("Codegen", uses: ["Codegen", "Targets", "IR", "Support", "TestSupport"]),
  tests(
    "Oracle", uses: ["Codegen", "Targets", "Emit", "Frontends", "Formats", "IR", "Support"],
    exclude: [
      "make_cases.py", "oracle.py", "elementwise.py", "contractions.py", "reductions.py", "attention.py",
      "recurrent.py", "windows.py", "moving.py", "ordering.py", "images.py", "quantization.py", "control.py",
      "ensembles.py",
      "cases.json", "cases.bin", "uncovered.txt",
    ]),
  tests("Architecture", uses: ["TestSupport"]),
]

var products: [Product] = []

if withLLVM {
  targets += [
    .systemLibrary(name: "CLLVM", path: "Sources/CLLVM"),
    module(
      "LLVMBackend", at: "Sources/LLVMBackend", uses: ["Codegen", "CLLVM", "Targets", "Support"],
      settings: llvmHeaders, linker: llvmLibrary),
    // The interface of artifacts, as the program that loads them sees it.
    .target(name: "CMartlet", path: "Sources/CMartlet"),
    module(
      "Driver", at: "Sources/Driver",
      uses: [
        "Frontends", "Emit", "Formats", "Passes", "IR", "Codegen", "LLVMBackend", "Targets", "CData", "CMartlet",
        "CommandLineKit", "Support",
      ],
      settings: llvmHeaders),
    module("CAPI", at: "Sources/CAPI", uses: ["Driver", "Support"], exclude: ["include"], settings: llvmHeaders),
    .executableTarget(
      name: "martlet", dependencies: ["Driver", "CommandLineKit", "Support"], path: "Sources/martlet",
      swiftSettings: llvmHeaders),

    tests(
      "Kernels", uses: ["LLVMBackend", "Codegen", "Targets", "IR", "Support", "TestGraphs", "TestSupport"],
      exclude: ["derive_polynomials.py"],
      settings: llvmHeaders),
    tests(
      "EndToEnd",
      uses: [
        "Driver", "LLVMBackend", "Passes", "Codegen", "Targets", "IR", "Formats", "Support", "CMartlet", "TestGraphs",
        "TestSupport",
      ],
      exclude: ["Models", "runner.c", "board.c", "board.ld", "compile_time.sh", "large_weights.sh"],
      settings: llvmHeaders),
    // They run the command, and a C program with the compiler in it, which SwiftPM builds beside them.
    tests("Command", uses: ["Formats", "Support", "TestSupport"], exclude: ["compile_and_run.c"]),
    // They run the command, which SwiftPM builds beside them.
    tests("Docs", uses: ["TestSupport"]),
  ]
  products = [
    .executable(name: "martlet", targets: ["martlet"]),
    // Named apart from the command: the file is libmartlet-c.so.
    .library(name: "martlet-c", type: .dynamic, targets: ["CAPI"]),
  ]
}

let package = Package(
  name: "martlet",
  products: products,
  targets: targets,
  swiftLanguageModes: [.v6]
)
