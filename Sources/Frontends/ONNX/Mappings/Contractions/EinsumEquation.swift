import Support

/// What an axis of an operand or of the result is called.
enum EinsumLabel: Hashable {
  case letter(UInt8)
  /// An axis that an ellipsis stands for, counted from its first one.
  case ellipsis(Int)
}

/// `ij,jk->ik`, with every axis named.
struct EinsumEquation {
  private(set) var operands: [[EinsumLabel]] = []
  private(set) var result: [EinsumLabel] = []

  /// `ranks` are those of the operands.
  init(_ text: String, ranks: [Int]) throws(Diagnostic) {
    let characters = text.utf8.filter { $0 != UInt8(ascii: " ") }
    let sides = EinsumEquation.sides(characters)
    guard sides.count <= 2 else { throw .invalid("the equation \"\(text)\" has more than one arrow") }
    let terms = sides[0].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    guard terms.count == ranks.count else {
      throw .invalid("the equation \"\(text)\" is about \(terms.count) operands, there are \(ranks.count)")
    }
    let parsed = try terms.map { term throws(Diagnostic) in try EinsumTerm(Array(term), text) }
    // An ellipsis stands for as many axes as are left over; those of different operands align at the end.
    let extra = try zip(parsed, ranks).map { term, rank throws(Diagnostic) in try term.ellipsisRank(rank, text) }
    let most = extra.max() ?? 0
    for (term, count) in zip(parsed, extra) { operands.append(term.labels(ellipsis: most - count..<most)) }
    if sides.count == 2 {
      result = try EinsumTerm(sides[1], text).labels(ellipsis: 0..<most)
    } else {
      result = implicitResult(ellipsis: most)
    }
    guard Set(result).count == result.count else {
      throw .invalid("the equation \"\(text)\" names an axis of the result twice")
    }
    let known = Set(operands.joined())
    guard result.allSatisfy(known.contains) else {
      throw .invalid("the equation \"\(text)\" has an axis in the result that no operand has")
    }
  }

  private static func sides(_ characters: [UInt8]) -> [[UInt8]] {
    var sides: [[UInt8]] = [[]]
    var position = 0
    while position < characters.count {
      let next = position + 1 < characters.count ? characters[position + 1] : 0
      if characters[position] == UInt8(ascii: "-"), next == UInt8(ascii: ">") {
        sides.append([])
        position += 2
      } else {
        sides[sides.count - 1].append(characters[position])
        position += 1
      }
    }
    return sides
  }

  /// Without an arrow: the axes of the ellipsis, then the letters that appear once, in order.
  private func implicitResult(ellipsis count: Int) -> [EinsumLabel] {
    var uses: [UInt8: Int] = [:]
    for case .letter(let letter) in operands.joined() { uses[letter, default: 0] += 1 }
    let once = uses.filter { $0.value == 1 }.keys.sorted()
    return (0..<count).map { .ellipsis($0) } + once.map { .letter($0) }
  }
}

/// Letters before and behind an ellipsis, if there is one.
private struct EinsumTerm {
  var before: [UInt8] = []
  var behind: [UInt8]?

  init(_ characters: [UInt8], _ text: String) throws(Diagnostic) {
    var position = 0
    while position < characters.count {
      let character = characters[position]
      if character == UInt8(ascii: ".") {
        guard behind == nil, characters[position...].prefix(3) == [character, character, character] else {
          throw .invalid("the equation \"\(text)\" has dots that are no ellipsis")
        }
        behind = []
        position += 3
        continue
      }
      let lower = character | 0x20
      guard lower >= UInt8(ascii: "a"), lower <= UInt8(ascii: "z") else {
        throw .invalid("the equation \"\(text)\" has a character that is neither letter nor ellipsis")
      }
      if behind == nil { before.append(character) } else { behind?.append(character) }
      position += 1
    }
  }

  func ellipsisRank(_ rank: Int, _ text: String) throws(Diagnostic) -> Int {
    let rest = rank - before.count - (behind?.count ?? 0)
    guard behind == nil ? rest == 0 : rest >= 0 else {
      throw .invalid("the equation \"\(text)\" does not fit an operand with \(rank) axes")
    }
    return rest
  }

  func labels(ellipsis: Range<Int>) -> [EinsumLabel] {
    let middle: [EinsumLabel] = behind == nil ? [] : ellipsis.map { .ellipsis($0) }
    return before.map { .letter($0) } + middle + (behind ?? []).map { .letter($0) }
  }
}
