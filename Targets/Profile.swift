import Support

/// What Martlet knows about one kind of machine. A profile is data: the JSON files in
/// `Profiles/` say it all, and code asks for properties, never for a profile's name.
public struct Profile: Sendable, Hashable {
  public var name: String
  /// One line for lists.
  public var summary: String

  // What LLVM is told.
  public var triple: String
  public var cpu: String
  /// The schedule model to use; another than `cpu` where LLVM's own model of that is wrong.
  public var tune: String
  /// Features on top of `cpu`, as LLVM writes them: `+dotprod`.
  public var features: [String]
  /// Features that `create` of an artifact and `host()` look for, in LLVM's names.
  public var requires: [String]

  /// The container of objects, which decides the linker.
  public var format: Format
  public var pointerBits: Int
  /// Whether code may be loaded anywhere: what is placed once, by a linker, is smaller without.
  public var isPositionIndependent: Bool
  /// Whether artifacts may start threads, and ask `malloc` for memory.
  public var hasThreads: Bool
  public var hasHeap: Bool

  // What the generators ask.
  /// 32: no vectors, everything is done element by element.
  public var vectorBits: Int
  public var vectorRegisters: Int
  /// Whether a multiply-add that rounds once is an instruction.
  public var hasFMA: Bool
  /// Whether floor, ceil, trunc and rint are instructions.
  public var hasRounding: Bool
  /// Whether f64 arithmetic is done by instructions.
  public var hasF64: Bool
  /// Whether 64-bit integers divide and convert, and f64 is computed, by functions that the artifact must bring.
  public var needsHelpers: Bool
  /// Whether vectors take floats below the least normal one for zero, whatever the program says.
  public var flushesSubnormals: Bool
  /// Whether f16 converts to f32 and back in an instruction.
  public var hasF16Conversion: Bool
  /// Whether pairs of bf16 products add up into f32 in an instruction.
  public var hasBF16: Bool
  public var dot4: Dot4

  // What the cost models ask.
  /// Vector multiply-adds that start in one cycle.
  public var fmaUnits: Int
  /// Cycles until the result of one can be added to.
  public var fmaLatency: Int
  /// Vector loads in one cycle.
  public var loadUnits: Int
  public var lineBytes: Int
  /// Of one core.
  public var l1Bytes: Int
  /// Of one core.
  public var l2Bytes: Int
  /// Shared by `cores`.
  public var l3Bytes: Int
  /// The usual number of cores: how many threads an artifact is partitioned for unless told otherwise.
  public var cores: Int

  public var link: Link
  /// The program that runs foreign executables in tests, and its options: `qemu-aarch64`; nil: there is none.
  public var emulator: [String]?
  /// The most memory an artifact may use for workspace and weights; nil: as much as there is.
  public var memoryLimitBytes: Int?
  public var codeLimitBytes: Int?

  /// How four products of 8-bit integers add up into one of 32 bits.
  public enum Dot4: String, Sendable, Hashable, CaseIterable {
    /// By wider products.
    case none
    /// u8 times s8 in vectors of any width (AVX-512 VNNI).
    case vnni
    /// u8 times s8 (AVX-VNNI).
    case avxvnni
    /// s8 times s8 or u8 times u8 (Arm dot products).
    case sdot
    /// `sdot` and u8 times s8 too (Arm i8mm).
    case usdot
  }

  public enum Format: String, Sendable, Hashable, CaseIterable {
    case elf, macho, wasm
  }

  /// What the linker needs for a shared library or an executable.
  public struct Link: Sendable, Hashable {
    /// lld's `-m`.
    public var emulation: String
    /// The triple of the C library's folders and of `clang --target`.
    public var clangTriple: String
    /// What `clang` is told besides, for C and for linking: the ABI, and where headers are.
    public var clangFlags: [String]
    /// What it is told to link programs.
    public var linkFlags: [String]
    /// The dynamic loader that executables name; nil: there are no shared libraries.
    public var loader: String?
    /// The Debian package with start files and C library; nil: no programs can be linked here.
    public var libcPackage: String?
    /// Where that package puts them; nil: in the root of the file system.
    public var sysroot: String?
  }

  /// Whether loads and stores of some lanes only are one instruction for every element width.
  public var hasMaskedMemory: Bool { vectorBits >= 512 }
  /// How many elements of `bits` bits fill a vector register.
  public func lanes(bits: Int) -> Int { bits > 0 && hasVectors ? max(1, vectorBits / bits) : 1 }
  public var hasVectors: Bool { vectorBits > 32 }
  /// `features` as LLVM wants them.
  public var featureString: String { features.joined(separator: ",") }
  /// The first part of the triple: `x86_64`.
  public var architecture: String { String(triple.prefix { $0 != "-" }) }
}
