import CMartlet
import Formats
import Glibc
import IR
import Support

/// A shared library that Martlet compiled, loaded into this process.
final class LoadedArtifact: @unchecked Sendable {
  let path: String
  let model: UnsafePointer<martlet_model>
  let entries: [EntrySignature]
  private let library: UnsafeMutableRawPointer

  /// `name` is the prefix of the model's symbol, needed where a library holds several.
  init(path: String, name: String? = nil) throws(Diagnostic) {
    self.path = path
    let place = Location(file: path)
    let image = try ELFImage.read(path: path)
    try LoadedArtifact.checkMachine(image, place)
    guard image.kind == .sharedLibrary else { throw .usage("\(path) is no shared library") }
    let symbol = try LoadedArtifact.symbol(image, name, place)
    guard let library = dlopen(path.contains("/") ? path : "./" + path, RTLD_NOW | RTLD_LOCAL) else {
      throw .invalid("cannot be loaded: \(LoadedArtifact.loaderMessage)", at: place)
    }
    guard let address = dlsym(library, symbol) else {
      throw .invalid("there is no \(symbol): \(LoadedArtifact.loaderMessage)", at: place)
    }
    let function = unsafeBitCast(address, to: (@convention(c) () -> UnsafePointer<martlet_model>?).self)
    guard let model = function() else { throw .invalid("\(symbol) returns nothing", at: place) }
    guard model.pointee.magic == UInt32(MARTLET_MAGIC) else {
      throw .invalid("\(symbol) returns no model", at: place)
    }
    guard model.pointee.abi_version == UInt32(MARTLET_ABI_VERSION),
      Int(model.pointee.struct_size) >= MemoryLayout<martlet_model>.offset(of: \.profile) ?? 0
    else {
      throw .unsupported(
        "the model has interface version \(model.pointee.abi_version), this is \(MARTLET_ABI_VERSION)", at: place,
        hint: "compile it again")
    }
    self.model = model
    self.library = library
    entries = (0..<Int(model.pointee.entry_count)).compactMap { number in
      model.pointee.entries[number].map { EntrySignature($0) }
    }
  }

  /// Takes the library out of the process; whoever calls it knows that no context, pool or view of it is left.
  /// It does not happen by itself, for those may outlive this object.
  func unload() { dlclose(library) }

  var name: String { text(model.pointee.name) }
  var target: String { text(model.pointee.target) }
  var metadata: String { text(model.pointee.metadata) }
  var weightsBytes: Int { Int(model.pointee.weights_size) }

  /// What it counts; nil unless it was compiled with `--profile`.
  var profile: UnsafePointer<martlet_profile>? {
    guard Int(model.pointee.struct_size) >= MemoryLayout<martlet_model>.size else { return nil }
    return model.pointee.profile
  }

  private func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }

  private static var loaderMessage: String { dlerror().map { String(cString: $0) } ?? "unknown error" }

  private static func checkMachine(_ image: ELFImage, _ place: Location) throws(Diagnostic) {
    #if arch(x86_64)
      let own = ELFMachine.x86_64
    #else
      let own = ELFMachine.aarch64
    #endif
    guard image.machine == own.number else {
      throw .unsupported("it was compiled for another machine", at: place, hint: "`martlet inspect` says which")
    }
  }

  private static func symbol(_ image: ELFImage, _ name: String?, _ place: Location) throws(Diagnostic) -> String {
    let models = image.exports.filter { $0.hasSuffix("_model") }
    if let name {
      guard models.contains("\(name)_model") else {
        let names = models.map { String($0.dropLast("_model".count)) }
        throw .usage("there is no model \(name) in \(place)", hint: choiceHint(for: name, among: names))
      }
      return "\(name)_model"
    }
    guard let first = models.first else { throw .invalid("it holds no model that Martlet compiled", at: place) }
    guard models.count == 1 else {
      throw .usage(
        "\(place) holds \(models.count) models", hint: "choose one by --name: \(models.joined(separator: ", "))")
    }
    return first
  }
}

extension EntrySignature {
  init(_ pointer: UnsafePointer<martlet_entry>) {
    let entry = pointer.pointee
    name = String(cString: entry.name)
    let symbols = (0..<Int(entry.symbol_count)).compactMap { number -> Symbol? in
      guard let info = entry.symbols[number]?.pointee else { return nil }
      let low = Int(info.minimum)
      return Symbol(name: String(cString: info.name), range: low...max(low, Int(info.maximum)))
    }
    self.symbols = symbols
    // A pointer into a library that stays loaded may go to any thread.
    nonisolated(unsafe) let expressions = entry.expressions
    func ports(_ infos: UnsafePointer<UnsafePointer<martlet_tensor_info>?>?, _ count: Int32) -> [PortSignature] {
      (0..<Int(count)).compactMap { number in
        guard let info = infos?[number]?.pointee else { return nil }
        let rank = info.dims == nil ? 0 : max(0, Int(info.rank))
        let dims: [PortDim] = (0..<rank).map { axis in
          let dim = info.dims[axis]
          switch Int(dim.kind) {
          case MARTLET_DIM_CONSTANT: return .constant(Int(dim.value))
          case MARTLET_DIM_SYMBOL where symbols.indices.contains(Int(dim.value)):
            return .symbol(symbols[Int(dim.value)].name)
          case MARTLET_DIM_EXPRESSION:
            guard let expression = expressions?[Int(dim.value)] else { return .unknown }
            nonisolated(unsafe) let info = expression
            return .expression(String(cString: info.pointee.text)) { known in
              let values = symbols.map { Int64(known[$0.name] ?? -1) }
              guard !values.contains(-1) else { return nil }
              return values.withUnsafeBufferPointer { Int(info.pointee.value($0.baseAddress)) }
            }
          default: return .unknown
          }
        }
        let type = Int(info.kind) == MARTLET_TENSOR ? ElementType(martlet: info.type) : nil
        let list = type == nil ? ValueType(described: info) : nil
        let low = Int(info.integer_minimum)
        let limit = Int(info.integer_limit)
        return PortSignature(
          name: String(cString: info.name), element: type.map { .plain($0) }, list: list, dims: type == nil ? [] : dims,
          accepts: low < limit ? low..<limit : nil)
      }
    }
    inputs = ports(entry.inputs, entry.input_count)
    outputs = ports(entry.outputs, entry.output_count)
  }
}

extension ElementType {
  /// The type with this number in `martlet.h`.
  init?(martlet number: Int32) {
    guard let type = ElementType.allCases.first(where: { $0.martletNumber == number }) else { return nil }
    self = type
  }

  /// The number in `martlet.h`, which counts in the order of the cases here.
  var martletNumber: Int32 {
    Int32(ElementType.allCases.firstIndex(of: self) ?? -1) + 1
  }
}

extension ValueType {
  /// What a port takes; extents in which members may differ have the name of a symbol that stands for any.
  fileprivate init?(described info: martlet_tensor_info) {
    let known = Int(info.struct_size) > MemoryLayout<martlet_tensor_info>.offset(of: \.member) ?? 0
    switch Int(info.kind) {
    case MARTLET_SEQUENCE, MARTLET_OPTIONAL:
      guard known, let inner = info.member, let member = ValueType(described: inner.pointee) else { return nil }
      self = Int(info.kind) == MARTLET_SEQUENCE ? .sequence(member) : .optional(member)
    default:
      guard let element = ElementType(martlet: info.type) else { return nil }
      guard info.rank >= 0 else {
        self = .anyTensor(element)
        return
      }
      let shape = (0..<Int(info.rank)).map { axis -> Dim in
        let dim = info.dims[axis]
        return Int(dim.kind) == MARTLET_DIM_CONSTANT ? Dim(Int(dim.value)) : Dim(symbol: "any")
      }
      self = .tensor(element, shape)
    }
  }
}
