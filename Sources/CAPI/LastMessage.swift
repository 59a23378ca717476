import Driver
import Glibc
import Support

/// The message of each thread's last failure, as C text that stays where it is until the thread's next call.
enum LastMessage {
  /// Freed when its thread ends.
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key) { free($0) }
    return key
  }()

  /// Never freed, as nobody knows who still reads them.
  nonisolated(unsafe) private static let empty = UnsafePointer<CChar>(strdup(""))
  nonisolated(unsafe) static let version = UnsafePointer<CChar>(strdup(martletVersion))

  static var text: UnsafePointer<CChar>? {
    UnsafePointer(pthread_getspecific(key)?.assumingMemoryBound(to: CChar.self)) ?? empty
  }

  /// Runs the body; a diagnostic becomes a status and the message.
  static func status(_ body: () throws(Diagnostic) -> Void) -> Int32 {
    if let old = pthread_getspecific(key) { free(old) }
    pthread_setspecific(key, nil)
    do throws(Diagnostic) { try body() } catch {
      pthread_setspecific(key, strdup("\(error)"))
      return error.kind.rawValue
    }
    return 0
  }
}
