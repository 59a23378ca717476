import IR
import Support

/// An automaton over bytes as it lies among the weights: the class of each byte, the number of classes less one before
/// seven unused bytes, and for each state whether it accepts and where each class leads, as u16.
struct MatchTable {
  private(set) var bytes: [UInt8]
  private(set) var stateCount = 0
  private var classes: Int { Int(bytes[256]) + 1 }

  /// As many states as have numbers, and the states of patterns that may be looked at to find them.
  private static let limit = 1 << 15
  private static let workLimit = 1 << 24

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// All sets of states that a pattern can be in at a time, each with what stands before it, are states here.
  init(_ automaton: RegularExpressionAutomaton) throws(Diagnostic) {
    struct Place: Hashable {
      var states: [Int]
      var after: RegularExpressionAutomaton.Side
    }
    let starts = automaton.byteClasses
    bytes = []
    for (number, start) in starts.enumerated() {
      let end = number + 1 < starts.count ? Int(starts[number + 1]) : 256
      bytes += [UInt8](repeating: UInt8(number), count: end - Int(start))
    }
    bytes += [UInt8(starts.count - 1)] + [UInt8](repeating: 0, count: 7)
    var numbers = [Place(states: [automaton.start], after: .edge): 0]
    var places = [Place(states: [automaton.start], after: .edge)]
    var work = 0
    while stateCount < places.count {
      let place = places[stateCount]
      work += (place.states.count + 1) * starts.count
      guard work <= MatchTable.workLimit else { throw .unsupported("the pattern takes too large a table") }
      var row = [automaton.accepts(place.states, after: place.after) ? 1 : 0]
      for byte in starts {
        let states = automaton.step(place.states, after: place.after, byte)
        // Where nothing matches any more, nothing else matters.
        let next = Place(states: states, after: states.isEmpty ? .other : RegularExpressionAutomaton.Side(byte))
        let number = numbers[next] ?? places.count
        if number == places.count {
          guard number < MatchTable.limit else {
            throw .unsupported("the pattern takes more than \(MatchTable.limit) states")
          }
          numbers[next] = number
          places.append(next)
        }
        row.append(number)
      }
      for value in row { bytes += [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)] }
      stateCount += 1
    }
  }

  func accepts(_ text: [UInt8]) -> Bool {
    var state = 0
    for byte in text { state = word(state, 1 + Int(bytes[Int(byte)])) }
    return word(state, 0) != 0
  }

  private func word(_ state: Int, _ place: Int) -> Int {
    let at = 264 + 2 * (state * (1 + classes) + place)
    return Int(bytes[at]) | Int(bytes[at + 1]) << 8
  }
}
