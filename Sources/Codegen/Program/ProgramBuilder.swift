import IR
import Support
import Targets

/// Lowers one entry: hands out buffers, records steps, collects kernels.
public final class ProgramBuilder {
  public let module: Module
  public let function: Function
  public let profile: Profile
  let shared: ProgramStore
  let ranges: [String: ClosedRange<Int>]
  /// For a symbol whose value only the run tells, what it cannot exceed.
  private(set) var symbolBounds: [String: Dim] = [:]

  private(set) var buffers: [Buffer] = []
  private var steps: [[Step]] = [[]]
  /// Steps in front of all others.
  var prologue: [Step] = []
  private var bufferOfValue: [ValueID: BufferID] = [:]
  /// Values that are not dense.
  private var viewOfValue: [ValueID: TensorView] = [:]
  /// What is written into the results of concats, and the memory of these.
  private(set) var storage: StoragePlan
  private var wholes: [ValueID: BufferID] = [:]
  /// What was decided about memory, for `--explain`.
  private(set) var notes: [String] = []
  private var weightBuffers: [WeightKey: BufferID] = [:]
  /// For an argument of a fused region, the constant it stands for.
  private var constantOfArgument: [ValueID: (key: WeightKey, tensor: Tensor)] = [:]
  private var stateBuffers: [String: BufferID] = [:]
  private var sequence = 0
  private var checkedDims: Set<Dim> = []

  init(module: Module, function: Function, profile: Profile, shared: ProgramStore) {
    self.module = module
    self.function = function
    self.profile = profile
    self.shared = shared
    ranges = module.inferenceContext.symbols
    storage = StoragePlan(function)
  }

  // MARK: Buffers

  func addBuffer(_ label: String, bytes: Dim, _ place: Buffer.Place) -> BufferID {
    buffers.append(Buffer(label: label, bytes: bytes, place: place))
    return BufferID(buffers.count - 1)
  }

  /// Memory for a tensor in the workspace.
  public func allocate(_ type: TensorType, _ label: String) throws(Diagnostic) -> BufferID {
    addBuffer(label, bytes: try bytes(of: type), .workspace)
  }

  /// The bytes a tensor takes, as an expression.
  public func bytes(of type: TensorType) throws(Diagnostic) -> Dim { try type.bytesInMemory() }

  /// Where a value lives, densely: what was bound, a weight's place, or a copy of what lies in rows.
  public func buffer(of value: ValueID) throws(Diagnostic) -> BufferID {
    if let known = bufferOfValue[value] { return known }
    if let view = viewOfValue[value] {
      let copy = try gathered(value, view)
      // In a branch or a loop it is not there for others.
      if steps.count == 1 { bufferOfValue[value] = copy }
      return copy
    }
    if let op = function.definingOp(value), let texts = (function[op].kind as? Constant)?.value,
      texts.storage == .string
    {
      let id = textBuffer(texts, label: label(value), at: site(op))
      bufferOfValue[value] = id
      return id
    }
    guard let (key, tensor) = constant(value) else { throw .bug("value \(value.number) has no buffer") }
    let id = weightBuffer(key, tensor)
    bufferOfValue[value] = id
    return id
  }

  func weightBuffer(_ key: WeightKey, _ tensor: Tensor) -> BufferID {
    weightBuffer(key, bytes: tensor.bytes.count) { tensor.bytes }
  }

  /// A place in the weights section for bytes that `content` makes when they are written.
  func weightBuffer(_ key: WeightKey, bytes: Int, content: @escaping @Sendable () -> ByteView) -> BufferID {
    if let known = weightBuffers[key] { return known }
    let offset = shared.place(weight: key, bytes: bytes, content).offset
    let id = addBuffer("@" + key.label, bytes: Dim(bytes), .weight(offset))
    weightBuffers[key] = id
    return id
  }

  func stateBuffer(_ name: String) throws(Diagnostic) -> BufferID {
    if let known = stateBuffers[name] { return known }
    guard let state = module.state(name), let type = state.type.tensor, let bytes = type.constantBytes else {
      throw .unsupported("state @\(name) has no constant size")
    }
    let offset = shared.place(state: state, bytes: bytes)
    let id = addBuffer("@" + name, bytes: Dim(bytes), .state(offset))
    stateBuffers[name] = id
    return id
  }

  /// From now on `buffer` is another name of `target`'s memory.
  func redirect(_ buffer: BufferID, to target: BufferID) { buffers[buffer.number].place = .alias(target) }

  /// From now on `buffer` is memory of one run.
  func moveToWorkspace(_ buffer: BufferID) { buffers[buffer.number].place = .workspace }

  /// Symbols that the inputs' shapes tell before anything runs.
  var inputSymbols: Set<String> {
    var symbols: Set<String> = []
    for argument in function[function.body].arguments {
      for dim in function.tensorType(argument)?.shape ?? [] { symbols.formUnion(dim.symbols) }
    }
    return symbols
  }

  func bind(_ value: ValueID, to buffer: BufferID) { bufferOfValue[value] = buffer }
  func bind(_ value: ValueID, to view: TensorView) { viewOfValue[value] = view }

  /// `value` lies where `other` does.
  func bind(_ value: ValueID, as other: ValueID) throws(Diagnostic) {
    if let view = viewOfValue[other] { bind(value, to: view) } else { bind(value, to: try buffer(of: other)) }
  }

  /// How a value lies that is not dense.
  func stridedView(of value: ValueID) -> TensorView? { viewOfValue[value] }

  /// The memory of a concat's result, which its parts may need before it does.
  func memory(ofWhole value: ValueID) throws(Diagnostic) -> BufferID {
    if let known = wholes[value] { return known }
    let id = try allocate(try tensorType(value), label(value))
    wholes[value] = id
    return id
  }

  /// `yield` of a fused region is written where the fusion's result goes.
  func give(_ yield: ValueID, thePlaceOf result: ValueID) { storage.give(yield, thePlaceOf: result) }

  func note(_ text: String) { notes.append(text) }

  /// The argument of a region stands for what the region's op was given: its buffer, or the constant it may be.
  func bind(argument: ValueID, to operand: ValueID) throws(Diagnostic) {
    if let constant = constant(operand) {
      constantOfArgument[argument] = constant
    } else {
      try bind(argument, as: operand)
    }
  }

  /// What is known of a value ahead of time, as a weight or a constant of the graph, also where it comes in as an
  /// argument of a fused region.
  func constant(_ value: ValueID) -> (key: WeightKey, tensor: Tensor)? {
    if let name = function.weightName(value) { return module.weight(name).map { (.weight(name), $0.tensor) } }
    if let op = function.definingOp(value), let tensor = (function[op].kind as? Constant)?.value {
      return tensor.storage == .string ? nil : (parameterKey(tensor), tensor)
    }
    return constantOfArgument[value]
  }

  /// A fresh workspace buffer for a result, bound to it.
  @discardableResult
  public func allocate(for value: ValueID) throws(Diagnostic) -> BufferID {
    if let whole = wholes[value] {
      bind(value, to: whole)
      return whole
    }
    if let part = storage.parts[value], StoragePlan.Lie(try tensorType(value).shape, part.strides) == .dense {
      return try place(value, part).buffer
    }
    let id = try allocate(try memoryType(value), label(value))
    bind(value, to: id)
    return id
  }

  /// Memory that holds a value: elements, the addresses of texts, or the record of a list.
  func memoryType(_ value: ValueID) throws(Diagnostic) -> TensorType {
    function.type(value).member == nil ? try tensorType(value) : ListRecord.type
  }

  public func label(_ value: ValueID) -> String { function[value].name ?? "\(value.number)" }

  public func tensorType(_ value: ValueID) throws(Diagnostic) -> TensorType {
    guard let type = function.tensorType(value) else {
      throw .unsupported("there is no code for \(function.type(value)) in this place")
    }
    return type
  }

  // MARK: Steps

  public func append(_ step: Step) { steps[steps.count - 1].append(step) }

  /// Collects the steps `body` appends.
  func collect(_ body: () throws(Diagnostic) -> Void) throws(Diagnostic) -> [Step] {
    steps.append([])
    do { try body() } catch {
      steps.removeLast()
      throw error
    }
    return steps.removeLast()
  }

  var collected: [Step] { prologue + steps[0] }

  /// Whether no step that always runs has checked yet that `dim` is zero.
  func isNew(check dim: Dim) -> Bool {
    guard steps.count == 1 else { return !checkedDims.contains(dim) }
    return checkedDims.insert(dim).inserted
  }

  /// Generates one kernel and the dispatch of it.
  public func dispatch(
    _ family: String, at site: String, _ generate: (KernelScope) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let scope = KernelScope(family: family, profile)
    try generate(scope)
    let uses = scope.uses
    let name = shared.intern(scope.finish(), family: family)
    // Equal kernels are equal in this too.
    shared.overwritable[name] = scope.overwritable
    append(
      .dispatch(
        Dispatch(
          kernel: name, buffers: uses, scalars: scope.scalars, parallelism: scope.parallelism, site: site,
          work: scope.work)))
  }

  /// Calls a function of the runtime.
  func call(_ function: RuntimeFunction, _ buffers: [BufferUse], _ scalars: [Dim] = [], at site: String) {
    append(.call(RuntimeCall(function: function, buffers: buffers, scalars: scalars, site: site)))
  }

  func freshSymbol(_ base: String) -> String {
    sequence += 1
    return "\(base)_\(sequence)"
  }

  /// Symbols with a value at this point of the program.
  lazy var boundSymbols = inputSymbols
  func isBound(_ symbol: String) -> Bool { boundSymbols.contains(symbol) }
  func markBound(_ symbol: String) { boundSymbols.insert(symbol) }

  /// The buffer whose memory this one names.
  func root(of buffer: BufferID) -> BufferID { buffers.root(of: buffer) }

  func bound(_ symbol: String, by dim: Dim) { symbolBounds[symbol] = dim }

  /// What an op is called in messages: its source names, or its mnemonic.
  public func site(_ op: OpID) -> String {
    let operation = function[op]
    return operation.locations.isEmpty ? operation.kind.mnemonic : operation.locations.joined(separator: ", ")
  }
}

extension TensorType {
  /// The bytes it takes, as an expression.
  func bytesInMemory() throws(Diagnostic) -> Dim {
    if let constant = constantBytes { return Dim(constant) }
    guard let storage = element.storage, layout == nil else {
      throw .unsupported("a tensor \(self) of run-time size has no code yet")
    }
    return (elementCount * storage.bits).ceilDivided(by: 8)
  }
}

/// What the entries of a module share: kernels, weights, states.
final class ProgramStore {
  private(set) var kernels: [Kernel] = []
  private var kernelNames: Set<String> = []
  private(set) var weights: [PlacedWeight] = []
  private var placed: [WeightKey: (name: String, offset: Int)] = [:]
  private var weightNames: Set<String> = []
  private(set) var weightBytes = 0
  private(set) var states: [PlacedState] = []
  private(set) var stateBytes = 0
  var notes: [String] = []

  /// What kernels may overwrite.
  var overwritable: [String: [InPlace.Pair]] = [:]
  private var inPlaceNames: [InPlace.Variant: String] = [:]

  /// The kernel that writes its parameter `pair.written` over `pair.read`.
  func inPlace(_ name: String, _ pair: InPlace.Pair) -> String? {
    let variant = InPlace.Variant(kernel: name, pair: pair)
    if let known = inPlaceNames[variant] { return known }
    guard let kernel = kernels.first(where: { $0.name == name }),
      let merged = kernel.merging(pair.read, into: pair.written)
    else { return nil }
    let family = name.dropFirst(2).split(separator: "_").dropLast().joined(separator: "_")
    let result = intern(merged, family: family)
    inPlaceNames[variant] = result
    return result
  }

  /// Drops kernels that nothing dispatches any more.
  func keepKernels(_ used: Set<String>) { kernels.removeAll { !used.contains($0.name) } }

  /// The name of a kernel with this body; equal kernels are one.
  func intern(_ kernel: Kernel, family: String) -> String {
    // The hash is the same for kernels that differ in names and numbering only.
    let name = "k_\(family)_\(kernel.contentHash)"
    guard kernelNames.insert(name).inserted else { return name }
    // Numbered as its text is, so that what is printed reads back as the very same kernel.
    var named = kernel.canonical()
    named.name = name
    kernels.append(named)
    return name
  }

  func place(
    weight key: WeightKey, bytes: Int, _ content: @escaping @Sendable () -> ByteView
  ) -> (name: String, offset: Int) {
    if let known = placed[key] { return known }
    let offset = (weightBytes + 63) / 64 * 64
    var name = key.label
    while !weightNames.insert(name).inserted { name += "'" }
    weights.append(PlacedWeight(name: name, offset: offset, bytes: bytes, content: content))
    placed[key] = (name, offset)
    weightBytes = offset + bytes
    return (name, offset)
  }

  func place(state: StateDeclaration, bytes: Int) -> Int {
    if let known = states.first(where: { $0.name == state.name }) { return known.offset }
    let offset = (stateBytes + 63) / 64 * 64
    let initial = state.initial.flatMap { name in
      initialTensor(name).map { tensor in
        place(weight: .weight(name), bytes: tensor.bytes.count) { tensor.bytes }.name
      }
    }
    states.append(PlacedState(name: state.name, offset: offset, bytes: bytes, initial: initial))
    stateBytes = offset + bytes
    return offset
  }

  private let initialTensor: (String) -> Tensor?
  init(module: Module) { initialTensor = { module.weight($0)?.tensor } }
}
