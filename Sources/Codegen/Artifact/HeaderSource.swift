import IR
import Support

/// The header beside an artifact: typed calls for C and C++ over the table.
public enum HeaderSource {
  /// `interface` is the text of the runtime's public header, which every artifact's header carries along.
  public static func text(_ program: Program, name: String, interface: String) -> String {
    var out = CodeWriter()
    let include = "MARTLET_ARTIFACT_\(name.uppercased())_H"
    out.line("/* Made by Martlet. Link with the artifact \(name); nothing else is needed. */")
    out.line("#ifndef \(include)")
    out.line("#define \(include)")
    out.append(interface)
    out.line()
    out.line("#ifdef __cplusplus")
    out.line("extern \"C\" {")
    out.line("#endif")
    out.line()
    out.line("typedef martlet_context \(name)_context;")
    out.line("typedef martlet_options \(name)_options;")
    out.line("typedef martlet_status \(name)_status;")
    out.line()
    out.line("const martlet_model *\(name)_model(void);")
    out.line()
    out.line("/* NULL on failure; options->message, if given, then tells why. */")
    out.line("static inline \(name)_context *\(name)_create(const \(name)_options *options) {")
    out.line("martlet_context *context = NULL;")
    out.line("return \(name)_model()->create(options, &context) == MARTLET_OK ? context : NULL;")
    out.line("}")
    out.line()
    out.line(
      "static inline void \(name)_destroy(\(name)_context *context) { \(name)_model()->destroy(context); }")
    out.line()
    out.line("static inline const char *\(name)_message(const \(name)_context *context) {")
    out.line("return \(name)_model()->last_error(context);")
    out.line("}")
    let reserved: Set<String> = ["create", "destroy", "message", "model", "context", "options", "status"]
    let names = CSyntax.identifiers(program.entries.map(\.name), taken: reserved)
    for (number, entry) in program.entries.enumerated() {
      out.line()
      emit(entry, number, "\(name)_\(names[number])", name, &out)
    }
    out.line()
    out.line("#ifdef __cplusplus")
    out.line("}  // extern \"C\"")
    out.line("#endif")
    out.line("#endif")
    return out.text
  }

  private static func emit(
    _ entry: ProgramEntry, _ number: Int, _ function: String, _ prefix: String, _ out: inout CodeWriter
  ) {
    let symbols = entry.symbols.map(\.name)
    // What the function's body mentions; names of the runtime and of other functions get an underscore in front.
    let taken: Set<String> = ["context", "inputs", "outputs", "status"]
    func parameter(_ name: String) -> String {
      let identifier = CSyntax.identifier(name)
      let isReserved = ["martlet", "MARTLET", "\(prefix)_", "INT64"].contains { identifier.hasPrefix($0) }
      return isReserved ? "_" + identifier : identifier
    }
    let tensors = (entry.inputs + entry.outputs).map { parameter($0.name) }
    let all = CSyntax.identifiers(symbols.map(parameter) + tensors + tensors.map { $0 + "_dims" }, taken: taken)
    let symbolNames = Dictionary(uniqueKeysWithValues: zip(symbols, all))
    let tensorNames = all.dropFirst(symbols.count).prefix(tensors.count)
    let inputs = Array(tensorNames.prefix(entry.inputs.count))
    let outputs = Array(tensorNames.suffix(entry.outputs.count))
    let dimsNames = Dictionary(uniqueKeysWithValues: zip(tensorNames, all.suffix(tensors.count)))

    func signature(_ ports: [Port]) -> String {
      ports.map { "\($0.name): \($0.value)" }.joined(separator: ", ")
    }
    let ranges = entry.symbols.map { "\($0.name) in \($0.range.lowerBound)...\($0.range.upperBound)" }
    let title = "\(entry.name)(\(signature(entry.inputs))) -> (\(signature(entry.outputs)))"
    out.line("/* \(CSyntax.comment(([title] + ranges).joined(separator: ", "))) */")
    var parameters = ["\(prefix)_context *context"]
    parameters += symbols.map { "int64_t \(symbolNames[$0]!)" }
    for (input, port) in zip(inputs, entry.inputs) { parameters.append("const \(cType(port)) *\(input)") }
    for (output, port) in zip(outputs, entry.outputs) {
      parameters.append(isKnown(port, symbols) ? "\(cType(port)) *\(output)" : "martlet_tensor *\(output)")
    }
    out.line("static inline \(prefix)_status \(function)(\(parameters.joined(separator: ", "))) {")
    out.line("martlet_tensor inputs[\(max(1, inputs.count))], outputs[\(max(1, outputs.count))];")
    out.line("martlet_status status;")
    func dimsArray(_ name: String, _ port: Port) {
      guard port.shape.count > 0 else { return }
      out.line("int64_t \(dimsNames[name]!)[\(port.shape.count)];")
    }
    for (input, port) in zip(inputs, entry.inputs) { dimsArray(input, port) }
    for (output, port) in zip(outputs, entry.outputs) where isKnown(port, symbols) { dimsArray(output, port) }
    func text(_ dim: Dim) -> String { dim.inC { symbolNames[$0] ?? "0" } }
    func fill(_ list: String, _ index: Int, _ name: String, _ port: Port, capacity: String) {
      for (axis, dim) in port.shape.enumerated() { out.line("\(dimsNames[name]!)[\(axis)] = \(text(dim));") }
      out.line("\(list)[\(index)].data = (void *)(uintptr_t)\(name);")
      out.line("\(list)[\(index)].capacity = \(capacity);")
      out.line("\(list)[\(index)].type = MARTLET_\(cEnum(port));")
      out.line("\(list)[\(index)].rank = \(port.shape.count);")
      out.line("\(list)[\(index)].dims = \(port.shape.count > 0 ? dimsNames[name]! : "NULL");")
      out.line("\(list)[\(index)].strides = NULL;")
    }
    for (index, (input, port)) in zip(inputs, entry.inputs).enumerated() {
      if port.value.tensor == nil {
        out.line("inputs[\(index)] = *\(input);")
      } else {
        fill("inputs", index, input, port, capacity: "0")
      }
    }
    for (index, (output, port)) in zip(outputs, entry.outputs).enumerated() {
      if isKnown(port, symbols) {
        let bits = port.memory.element.storage?.bits ?? 8
        let bytes = (port.memory.elementCount * bits).ceilDivided(by: 8)
        fill("outputs", index, output, port, capacity: text(bytes))
      } else {
        out.line("outputs[\(index)] = *\(output);")
      }
    }
    out.line("status = martlet_call(\(prefix)_model(), \(number), context, inputs, outputs);")
    for (index, (output, port)) in zip(outputs, entry.outputs).enumerated() where !isKnown(port, symbols) {
      out.line("*\(output) = outputs[\(index)];")
    }
    out.line("return status;")
    out.line("}")
  }

  private static func isKnown(_ port: Port, _ symbols: [String]) -> Bool {
    port.value.tensor != nil && port.shape.allSatisfy { $0.symbols.isSubset(of: symbols) }
  }

  private static func cEnum(_ port: Port) -> String {
    CSyntax.typeName(port.value.tensor?.element.storage ?? .u8)
  }

  private static func cType(_ port: Port) -> String {
    guard let type = port.value.tensor else { return "martlet_tensor" }
    return switch type.element.storage ?? .u8 {
    case .f32: "float"
    case .f64: "double"
    case .i8: "int8_t"
    case .i16: "int16_t"
    case .u16, .f16, .bf16: "uint16_t"
    case .i32: "int32_t"
    case .u32: "uint32_t"
    case .i64: "int64_t"
    case .u64: "uint64_t"
    case .string: "martlet_string"
    default: "uint8_t"
    }
  }
}
