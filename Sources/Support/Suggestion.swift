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
