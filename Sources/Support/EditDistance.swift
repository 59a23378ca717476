/// The candidate that `word` was probably meant to be, or nil when none is close.
///
/// Close means at most a third of the word's letters wrong (a swap of neighbours counts once), which catches typing
/// errors without guessing. Long words are not compared: the work is bounded by the candidates' own length.
public func closest(to word: String, among candidates: some Sequence<String>) -> String? {
  let letters = Array(word.utf8)
  guard !letters.isEmpty, letters.count <= 64 else { return nil }
  var best: String?
  var least = max(1, letters.count / 3) + 1
  for candidate in candidates.sorted() {
    let other = Array(candidate.utf8)
    guard abs(other.count - letters.count) < least else { continue }
    let distance = editDistance(letters, other)
    if distance < least {
      least = distance
      best = candidate
    }
  }
  return best
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var beforePrevious = [Int](repeating: 0, count: b.count + 1)
  var previous = Array(0...b.count)
  var current = previous
  for i in 0..<a.count {
    current[0] = i + 1
    for j in 0..<b.count {
      var distance = min(previous[j + 1], current[j]) + 1
      distance = min(distance, previous[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { distance = min(distance, beforePrevious[j - 1] + 1) }
      current[j + 1] = distance
    }
    (beforePrevious, previous, current) = (previous, current, beforePrevious)
  }
  return previous[b.count]
}
