/// One row of the kernel table: tile shapes that exist for some types on machines with
/// some properties. A row holds tiles of one width and every height in its range.
public struct KernelRow: Sendable, Hashable {
  public var name: String
  public var types: ContractionTypes
  public var machine: Machine
  public var vectors: Int
  public var rows: ClosedRange<Int>
  public var unroll: Int

  /// What a machine must be for a row to exist on it.
  public struct Machine: Sendable, Hashable {
    public var vectorBits: Int
    /// At least so many, and less than twice as many.
    public var registers: Int
    /// Whether products of 8-bit integers add up in one instruction; nil: no matter.
    public var hasDot4: Bool?
    /// Registers lost to steps that take several instructions.
    public var scratch: Int = 0

    func fits(_ profile: Profile) -> Bool {
      guard profile.vectorBits == vectorBits, (registers..<2 * registers).contains(profile.vectorRegisters) else {
        return false
      }
      guard let hasDot4 else { return true }
      // Both operand types are unsigned times signed; Arm's plain dot products are not.
      return hasDot4 == [.vnni, .avxvnni, .usdot].contains(profile.dot4)
    }
  }

  init(
    _ name: String, _ types: ContractionTypes, _ machine: Machine, vectors: Int, rows: ClosedRange<Int>, unroll: Int
  ) {
    self.name = name
    self.types = types
    self.machine = machine
    self.vectors = vectors
    self.rows = rows
    self.unroll = unroll
  }

  public var tiles: [Tile] { rows.map { Tile(rows: $0, vectors: vectors, unroll: unroll) } }

  /// Every row there is.
  public static let all: [KernelRow] = f32Rows + u8i8Rows

  /// The rows that exist on a machine.
  public static func rows(for profile: Profile) -> [KernelRow] { all.filter { $0.machine.fits(profile) } }

  /// The tiles that exist for `types` on a machine, widest first, then tallest.
  public static func contractionTiles(for profile: Profile, types: ContractionTypes) -> [Tile] {
    let rows = self.rows(for: profile).filter { $0.types == types }
    return rows.flatMap(\.tiles).sorted { ($0.vectors, $0.rows) > ($1.vectors, $1.rows) }
  }
}
