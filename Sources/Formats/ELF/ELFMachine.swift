/// What an ELF file says about the machine it is for: one row each.
public struct ELFMachine: Sendable, Hashable {
  /// `e_machine`.
  public var number: UInt16
  /// `e_flags`; the linker compares them with those of the code.
  public var flags: UInt32
  /// The relocation that stores a 64-bit address.
  public var absolute64: UInt32
  /// Whether data beyond the reach of code go to sections of their own, marked large.
  public var hasLargeSections: Bool

  public static let x86_64 = ELFMachine(number: 62, flags: 0, absolute64: 1, hasLargeSections: true)
  public static let aarch64 = ELFMachine(number: 183, flags: 0, absolute64: 257, hasLargeSections: false)
  /// Compressed instructions and the double-float ABI, as Linux has it.
  public static let riscv64 = ELFMachine(number: 243, flags: 5, absolute64: 2, hasLargeSections: false)
}
