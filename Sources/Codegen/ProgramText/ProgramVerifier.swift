import IR
import Support

extension Program {
  /// Throws what is wrong with the program first: what stages behind this one rely on, and what would make its code
  /// read or write where it must not, as far as that can be told before it runs.
  public func verify() throws(Diagnostic) {
    try ProgramVerifier(self, places: nil) { _ in Location() }.verify()
  }
}

struct ProgramVerifier {
  /// No size, offset or sum of some is larger; far from where sums overflow.
  static let sizeLimit = 1 << 50
  /// No number of a buffer is larger.
  static let countLimit = 1 << 24
  /// What every buffer that is not the caller's is aligned to.
  static let alignment = 64

  let program: Program
  private let places: ProgramPlaces?
  private let locate: (Int) -> Location

  init(_ program: Program, places: ProgramPlaces?, locate: @escaping (Int) -> Location) {
    self.program = program
    self.places = places
    self.locate = locate
  }

  func verify() throws(Diagnostic) {
    try verifyWeights()
    try verifyStates()
    var kernels: [String: Kernel] = [:]
    for (number, kernel) in program.kernels.enumerated() {
      do throws(Diagnostic) {
        try ProgramVerifier.checkName(kernel.name)
        guard kernels.updateValue(kernel, forKey: kernel.name) == nil else {
          throw .invalid("two kernels are called @\(kernel.name)")
        }
        try kernel.verify()
      } catch { throw located(error, places?.kernels[number]) }
    }
    var names: Set<String> = []
    for (number, entry) in program.entries.enumerated() {
      let places = self.places?.entries[number]
      guard names.insert(entry.name).inserted else {
        throw fail("two entries are called @\(entry.name)", places?.start)
      }
      var verifier = EntryVerifier(entry, of: program, kernels)
      do throws(Diagnostic) { try verifier.verify() } catch {
        throw located(error, places.flatMap { verifier.part.offset(in: $0) })
      }
    }
  }

  /// The name becomes a symbol of the object code: it may not be one of the runtime's or of C.
  private static func checkName(_ name: String) throws(Diagnostic) {
    let isPlain = name.utf8.allSatisfy { byte in
      byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
    guard name.hasPrefix("k_"), isPlain, name.utf8.count <= 200 else {
      throw .invalid("@\(name) is no name of a kernel", hint: "k_, then letters, digits and underscores")
    }
  }

  // MARK: Sections

  /// Weights lie one behind the other, each at the next aligned place.
  private func verifyWeights() throws(Diagnostic) {
    var names: Set<String> = []
    var end = 0
    for (number, weight) in program.weights.enumerated() {
      let place = places?.weights[number]
      guard names.insert(weight.name).inserted else { throw fail("two weights are called @\(weight.name)", place) }
      try verifySection("weight @\(weight.name)", weight.offset, weight.bytes, &end, place)
    }
    guard program.weightBytes == end else {
      throw fail("the weights take \(end) bytes, not \(program.weightBytes)", places?.start)
    }
  }

  private func verifyStates() throws(Diagnostic) {
    var names: Set<String> = []
    var end = 0
    for (number, state) in program.states.enumerated() {
      let place = places?.states[number]
      guard names.insert(state.name).inserted else { throw fail("two states are called @\(state.name)", place) }
      try verifySection("state @\(state.name)", state.offset, state.bytes, &end, place)
      guard let initial = state.initial else { continue }
      guard let weight = program.weights.first(where: { $0.name == initial }) else {
        throw fail("state @\(state.name) starts as @\(initial), but there is no such weight", place)
      }
      guard weight.bytes == state.bytes else {
        throw fail("state @\(state.name) has \(state.bytes) bytes, @\(initial) has \(weight.bytes)", place)
      }
    }
    guard program.stateBytes == end else {
      throw fail("the states take \(end) bytes, not \(program.stateBytes)", places?.start)
    }
  }

  private func verifySection(
    _ what: String, _ offset: Int, _ bytes: Int, _ end: inout Int, _ place: Int?
  ) throws(Diagnostic) {
    let expected = (end + ProgramVerifier.alignment - 1) / ProgramVerifier.alignment * ProgramVerifier.alignment
    guard offset == expected else { throw fail("\(what) lies at \(offset), expected \(expected)", place) }
    guard (0...ProgramVerifier.sizeLimit).contains(bytes), offset <= ProgramVerifier.sizeLimit else {
      throw fail("\(what) has \(bytes) bytes", place)
    }
    end = offset + bytes
  }

  // MARK: Errors

  private func fail(_ message: String, _ offset: Int?) -> Diagnostic { located(.invalid(message), offset) }

  /// The error at its place in the text, with what it says itself of the place.
  private func located(_ error: Diagnostic, _ offset: Int?) -> Diagnostic {
    guard let offset else { return error }
    var result = error
    var location = locate(offset)
    location.path = error.location?.path
    result.location = location
    return result
  }
}
