import Glibc

/// The system's own words for `errno`, to be read before anything else can change it.
public func systemErrorText(_ code: Int32 = errno) -> String {
  guard let text = strerror(code) else { return "error \(code)" }
  return String(cString: text)
}
