import Driver
import Support

// The functions of martlet_compiler.h, which says what they do.

@_cdecl("martlet_compiler_version")
public func version() -> UnsafePointer<CChar>? { LastMessage.version }

@_cdecl("martlet_compiler_message")
public func message() -> UnsafePointer<CChar>? { LastMessage.text }

@_cdecl("martlet_compiler_load")
public func load(
  _ model: UnsafePointer<CChar>?, _ options: UnsafePointer<CChar>?,
  _ compiled: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> Int32 {
  compiled?.pointee = nil
  return LastMessage.status { () throws(Diagnostic) in
    guard let model, let compiled else { throw .usage("martlet_compiler_load got a null pointer") }
    let result = try CompiledModel(String(cString: model), options: text(options))
    compiled.pointee = Unmanaged.passRetained(result).toOpaque()
  }
}

@_cdecl("martlet_compiled_table")
public func table(_ compiled: UnsafeRawPointer?) -> UnsafeRawPointer? {
  compiled.map { Unmanaged<CompiledModel>.fromOpaque($0).takeUnretainedValue().table }
}

@_cdecl("martlet_compiler_release")
public func release(_ compiled: UnsafeMutableRawPointer?) {
  guard let compiled else { return }
  Unmanaged<CompiledModel>.fromOpaque(compiled).takeRetainedValue().unload()
}

@_cdecl("martlet_compiler_write")
public func write(
  _ model: UnsafePointer<CChar>?, _ options: UnsafePointer<CChar>?, _ output: UnsafePointer<CChar>?
) -> Int32 {
  LastMessage.status { () throws(Diagnostic) in
    guard let model, let output else { throw .usage("martlet_compiler_write got a null pointer") }
    try CompiledModel.compile(String(cString: model), options: text(options), to: String(cString: output))
  }
}

private func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
