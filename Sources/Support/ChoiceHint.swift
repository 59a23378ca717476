/// The hint for a word that is none of `candidates`: the one that was probably meant, or else all there is.
public func choiceHint(for word: String, among candidates: [String]) -> String {
  if let near = closest(to: word, among: candidates) { return "did you mean \(near)?" }
  return "there is " + candidates.joined(separator: ", ")
}
