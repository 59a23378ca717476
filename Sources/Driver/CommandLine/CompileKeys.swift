import CommandLineKit
import Passes
import Targets

/// The options that decide what is compiled and how: `compile` takes all of them,
/// commands that compile first take `shared`.
public enum CompileKeys {
  /// What `compile` writes.
  public enum Emit: String, CaseIterable, Sendable {
    case shared, `static`, object, executable, graph, loops, llvm, asm
  }

  public enum Precision: String, CaseIterable, Sendable {
    case f32, bf16, f16
  }

  public enum Numerics: String, CaseIterable, Sendable {
    case strict, fast
  }

  public enum Weights: String, CaseIterable, Sendable {
    case embed, file
  }

  /// When the verifier runs.
  public enum Verification: String, CaseIterable, Sendable {
    case phases, each
  }

  public static let output = OptionKey<String>.required("output", "OUT", "the file to write").short("o")
  public static let emit = OptionKey<Emit?>.choice("emit", "KIND", "what to write, unless the suffix of OUT says it")
  public static let target = OptionKey<String>.text(
    "target", "NAME", default: "host", "the machine to compile for, see `martlet targets`"
  ).suggesting { ((try? Profile.all) ?? []).map(\.name) }
  public static let name = OptionKey<String?>.text("name", "PREFIX", "prefix of the exported names, else that of OUT")
  public static let shape = OptionKey<[String]>.list(
    "shape", "NAME=1x3x224x224",
    "the shape of an input, where the model leaves it open; ENTRY/NAME=... is that of one entry alone")
  public static let precision = OptionKey<Precision>.choice(
    "precision", "TYPE", default: .f32, "what contractions of f32 are computed in")
  public static let numerics = OptionKey<Numerics>.choice(
    "numerics", "RULE", default: .strict, "whether results keep the source framework's tolerances")
  public static let threads = OptionKey<Int?>.integer(
    "threads", "MAX", 1...1024, "the most threads to use, else the target's cores")
  public static let weights = OptionKey<Weights>.choice(
    "weights", "PLACE", default: .embed, "whether weights lie in OUT or in a file beside it")
  public static let from = OptionKey<String?>.text(
    "from", "PHASE", "the phase that a .mir or .loops file comes from"
  ).suggesting { Phase.allCases.map(\.rawValue) }
  public static let to = OptionKey<String?>.text(
    "to", "PHASE", "stop behind this phase"
  ).suggesting { Phase.allCases.map(\.rawValue) }
  public static let explain = OptionKey<Bool>.flag("explain", "say why what was fused and chosen, and what nearly was")
  public static let dump = OptionKey<String?>.text("dump", "DIR", "write the program after every phase into DIR")
  public static let printAfter = OptionKey<[String]>.list(
    "print-after", "PASS", "print the graph after a pass"
  ).suggesting { PassRegistry.all.map(\.name) + ["all"] }
  public static let verify = OptionKey<Verification>.choice(
    "verify", "WHEN", default: .phases, "verify after phases or after each pass")
  public static let timePasses = OptionKey<Bool>.flag("time-passes", "print how long each pass took")
  public static let fuel = OptionKey<Int?>.integer(
    "fuel", "N", 0...Int.max, "stop rewriting after N rewrites, to find the one that breaks a result")
  public static let html = OptionKey<String?>.text("html", "FILE", "write a page with the graph after every pass")
  public static let sysroot = OptionKey<String?>.text(
    "sysroot", "DIR", "start files and C library for executables of another machine")
  public static let debugInfo = OptionKey<Bool>.flag("debug-info", "map machine code to the loops it comes from")
  public static let profile = OptionKey<Bool>.flag("profile", "count and time every step while running, see `bench`")
  public static let cacheDir = OptionKey<String?>.text("cache-dir", "DIR", "where compiled kernels are kept")
  public static let noCache = OptionKey<Bool>.flag("no-cache", "compile everything, keep nothing")

  /// What commands other than `compile` take of these.
  static let shared: [OptionSpec] = model + building + looking

  private static let model = [
    target.spec, shape.spec, precision.spec, numerics.spec, threads.spec, weights.spec, from.spec,
  ]
  private static let building = [debugInfo.spec, profile.spec, cacheDir.spec, noCache.spec]
  static let looking = [
    explain.spec, dump.spec, printAfter.spec, verify.spec, timePasses.spec, fuel.spec, html.spec,
  ]
  static let compile: [OptionSpec] = [output.spec, emit.spec, name.spec, to.spec, sysroot.spec] + shared
}
