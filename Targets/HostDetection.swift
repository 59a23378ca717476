import Glibc
import Support

extension Profile {
  /// The most capable profile whose required features the machine Martlet runs on has.
  public static func host() throws(Diagnostic) -> Profile {
    try best(for: HostFeatures.detect())
  }

  /// The most capable profile for a machine: the last that fits, as the catalog lists narrower ones first.
  static func best(for host: HostFeatures) throws(Diagnostic) -> Profile {
    let fitting = try all.filter { $0.architecture == host.architecture && $0.requires.allSatisfy(host.has) }
    guard let best = fitting.last else {
      throw .unsupported(
        "no profile fits this \(host.architecture) machine",
        hint: "name one with --target: \(names.joined(separator: ", "))")
    }
    return best
  }
}

/// What the machine can do, as the kernel tells it: it hides what it does not support itself.
struct HostFeatures: Sendable {
  var architecture: String
  /// The kernel's names, from `/proc/cpuinfo`.
  private var flags: Set<String> = []

  /// Where the kernel's name of a feature is not LLVM's with `_` for `.`.
  private static let kernelNames: [String: String] = [
    "sse3": "pni", "sahf": "lahf_lm", "lzcnt": "abm", "bmi": "bmi1", "pclmul": "pclmulqdq", "prfchw": "3dnowprefetch",
    "sha": "sha_ni", "avxvnni": "avx_vnni", "avx512vbmi2": "avx512_vbmi2", "avx512vnni": "avx512_vnni",
    "avx512bitalg": "avx512_bitalg", "avx512vpopcntdq": "avx512_vpopcntdq", "avx512bf16": "avx512_bf16",
    "avx512fp16": "avx512_fp16", "fp-armv8": "fp", "neon": "asimd", "dotprod": "asimddp", "fullfp16": "asimdhp",
    "lse": "atomics", "rdm": "asimdrdm",
  ]

  /// Reads the text of `/proc/cpuinfo`. A machine of unlike cores has what its first core has.
  init(architecture: String, cpuinfo: String) {
    self.architecture = architecture
    for line in cpuinfo.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let key = line[..<colon].filter { $0 != "\t" && $0 != " " }
      guard key == "flags" || key == "Features" else { continue }
      flags = Set(line[line.index(after: colon)...].split(separator: " ").map(String.init))
      return
    }
  }

  func has(_ feature: String) -> Bool {
    if let name = HostFeatures.kernelNames[feature] { return flags.contains(name) }
    return flags.contains(String(feature.map { $0 == "." ? "_" : $0 }))
  }

  static func detect() -> HostFeatures {
    #if arch(x86_64)
      let architecture = "x86_64"
    #elseif arch(arm64)
      let architecture = "aarch64"
    #elseif arch(riscv64)
      let architecture = "riscv64"
    #else
      let architecture = "unknown"
    #endif
    return HostFeatures(architecture: architecture, cpuinfo: contents(of: "/proc/cpuinfo"))
  }

  /// Files in `/proc` have no size: they are read until they end. 64 KiB hold many cores' worth of it.
  private static func contents(of path: String) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4096)
    while bytes.count < 1 << 16 {
      let count = read(descriptor, &part, part.count)
      guard count > 0 else { break }
      bytes.append(contentsOf: part[..<count])
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
