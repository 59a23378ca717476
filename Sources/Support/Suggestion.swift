/// The one of `candidates` that a reader most likely meant by `word`, or nil when none is near.
public func suggestion(for word: String, among candidates: some Sequence<String>) -> String? {
  // Words from a command line or a file may be of any length; nobody mistypes long ones into a name of ours.
  let typed = Array(word.lowercased().utf8.prefix(64))
  let limit = max(1, typed.count / 3)
  var best: (name: String, distance: Int)?
  for candidate in candidates {
    let name = Array(candidate.lowercased().utf8)
    let distance = typed.count > 2 && name.starts(with: typed) ? 0 : editDistance(typed, name)
    if distance <= limit, distance < best?.distance ?? Int.max { best = (candidate, distance) }
  }
  return best?.name
}

/// "a, b, c"-style hint: what was meant, or else all there is.
public func choiceHint(for word: String, among candidates: [String]) -> String {
  if let near = suggestion(for: word, among: candidates) { return "did you mean \(near)?" }
  return "there is " + candidates.joined(separator: ", ")
}

/// How many insertions, deletions, replacements and swaps of neighbours turn `a` into `b`.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var beforePrevious: [Int] = []
  var previous = Array(0...b.count)
  for (row, left) in a.enumerated() {
    var current = [row + 1]
    current.reserveCapacity(b.count + 1)
    for (column, right) in b.enumerated() {
      let replaced = previous[column] + (left == right ? 0 : 1)
      var least = min(replaced, previous[column + 1] + 1, current[column] + 1)
      if row > 0, column > 0, left == b[column - 1], a[row - 1] == right {
        least = min(least, beforePrevious[column - 1] + 1)
      }
      current.append(least)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[b.count]
}
