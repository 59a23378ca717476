import IR
import Support

/// The scheduled phase: what `run` executes. No tensors any more: buffers with
/// offsets, kernels, dim arithmetic and control flow.
public struct Program: Sendable {
  public var name: String
  public var entries: [ProgramEntry] = []
  /// Every distinct kernel once; dispatches name them.
  public var kernels: [Kernel] = []
  /// The weights' section: what lies where.
  public var weights: [PlacedWeight] = []
  public var weightBytes = 0
  public var states: [PlacedState] = []
  public var stateBytes = 0
  /// What was decided about memory and why, for `--explain`; no part of what the program is.
  public var notes: [String] = []
}

/// A weight and its place in the weights section.
///
/// What lies there is made when it is written, not before: packing must not hold
/// gigabytes twice.
public struct PlacedWeight: Sendable {
  /// Unlike any other's.
  public var name: String
  public var offset: Int
  public var bytes: Int
  public var content: @Sendable () -> ByteView
}

/// A state and its place in a context's memory.
public struct PlacedState: Hashable, Sendable {
  public var name: String
  public var offset: Int
  public var bytes: Int
  /// The weight it starts as; nil starts as zeros.
  public var initial: String?
}

public struct ProgramEntry: Hashable, Sendable {
  public var name = ""
  public var symbols: [Symbol] = []
  public var inputs: [Port] = []
  public var outputs: [Port] = []
  public var buffers: [Buffer] = []
  public var body: [Step] = []
  /// The workspace: a fixed part and, behind it, slots whose sizes the symbols tell.
  public var plan = MemoryPlan()
}

/// An input or output of an entry.
public struct Port: Hashable, Sendable {
  public var name: String
  public var value: ValueType
  public var buffer: BufferID
  /// The integers that make sense in an input that selects.
  public var accepts: Range<Int>?

  /// A tensor's extents; none for a sequence or an optional value.
  public var shape: [Dim] { value.tensor?.shape ?? [] }

  /// What the caller's memory holds: a text is a pointer and a length there. Of a list, the descriptor is all that the
  /// program sees.
  public var memory: TensorType {
    guard let type = value.tensor else { return ListRecord.type }
    return type.plain == .string ? TensorType(.u64, type.shape + [2]) : type
  }
}

/// A sequence or optional value in the workspace: where its members are described, and how many they are.
enum ListRecord {
  /// `martlet_list` of the runtime, with room for pointers of any size.
  static let type = TensorType(.u64, [4])
}

public struct BufferID: Hashable, Sendable, Comparable {
  public let number: Int
  public init(_ number: Int) { self.number = number }
  public static func < (a: BufferID, b: BufferID) -> Bool { a.number < b.number }
}

/// Memory that kernels read and write.
public struct Buffer: Hashable, Sendable {
  public enum Place: Hashable, Sendable {
    case workspace
    case input(Int)
    case output(Int)
    /// Byte offset in the weights section.
    case weight(Int)
    case state(Int)
    /// The bytes of another buffer, or a part of them: a reshape, an in-place result, a piece of a concat.
    case alias(BufferID, BufferPart = .whole)
    /// The end of the workspace, from which a loop takes more as it goes on.
    case growing
  }
  public var label: String
  public var bytes: Dim
  public var place: Place
}

/// One step of an entry.
public indirect enum Step: Hashable, Sendable {
  case dispatch(Dispatch)
  /// Calls a function of the runtime.
  case call(RuntimeCall)
  /// Defines a symbol by the i64 in a buffer, checked against its range.
  case bindSymbol(name: String, buffer: BufferID, range: ClosedRange<Int>, site: String)
  /// Defines a symbol by a dim expression.
  case setSymbol(name: String, value: Dim)
  /// Fails with SHAPE_MISMATCH unless the two are equal.
  case require(Dim, equals: Dim, site: String)
  case copy(from: BufferID, to: BufferID, bytes: Dim)
  case fill(BufferID, bytes: Dim)
  /// Hands out an output whose extents only the run tells.
  case deliver(output: Int, from: BufferID, dims: [Dim])
  /// Writes a dim expression as an i64 (or a bool as one byte) into a buffer.
  case storeIndex(Dim, BufferID, offset: Int)
  case storeByte(Int, BufferID)
  case ifElse(condition: BufferID, then: [Step], else: [Step])
  /// Runs while fewer than `trip` (if any) iterations are done and the byte at `condition` is non-zero.
  /// `counter` is the iteration as a symbol, defined inside the body and, as the final count, after it. Before each
  /// iteration the lists in `growing` get room for what it leaves behind.
  case loop(counter: String, trip: BufferID?, condition: BufferID, growing: [GrowingList], body: [Step])
}

/// A buffer with room for as many items as a loop has had iterations.
public struct GrowingList: Hashable, Sendable {
  public var buffer: BufferID
  /// Of one item.
  public var bytes: Dim
}

/// One kernel launch.
public struct Dispatch: Hashable, Sendable {
  public var kernel: String
  public var buffers: [BufferUse]
  public var scalars: [Dim]
  /// How many threads it can use.
  public var parallelism: Dim
  /// The source ops, for messages and profiles.
  public var site: String
  /// Multiply-adds, for profiles; zero when it does not matter.
  public var work: Dim
}

public struct BufferUse: Hashable, Sendable {
  public var buffer: BufferID
  public var access: Access
  public init(_ buffer: BufferID, _ access: Access) {
    self.buffer = buffer
    self.access = access
  }
}

/// A call of a function of the runtime, which may take more of the workspace for texts and members of lists.
public struct RuntimeCall: Hashable, Sendable {
  public var function: RuntimeFunction
  public var buffers: [BufferUse]
  public var scalars: [Dim]
  /// The source ops, for messages.
  public var site: String
}

/// Where workspace buffers lie.
public struct MemoryPlan: Hashable, Sendable {
  /// Offsets of buffers of constant size.
  public var offsets: [BufferID: Int] = [:]
  public var fixedBytes = 0
  /// The least any plan could need: the peak of live bytes.
  public var lowerBound = 0
  /// Buffers of symbolic size share slots; a slot is as large as its largest tenant.
  public var slots: [Slot] = []

  public struct Slot: Hashable, Sendable {
    /// In ascending order.
    public var tenants: [BufferID]
    /// Sizes of the tenants: the slot takes the greatest.
    public var sizes: [Dim]
  }
  public init() {}
}
