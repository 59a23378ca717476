import IR
import Support

extension ONNXMapping {
  static let conversions: [ONNXMapping] = [cast, castLike, bitCast]

  static let cast = ONNXMapping(
    ["Cast"], 6...newest, inputs: 1...1, attributes: ["round_mode", "saturate", "to"]
  ) { c throws(Diagnostic) in
    guard let target = try c.elementType("to") else { throw .invalid("attribute \"to\" is missing") }
    return [try c.converted(try c.input(0), to: target)]
  }

  static let castLike = ONNXMapping(
    ["CastLike"], 15...newest, inputs: 2...2, attributes: ["round_mode", "saturate"]
  ) { c throws(Diagnostic) in
    [try c.converted(try c.input(0), to: try c.element(try c.input(1)))]
  }
}

extension ONNXMapping {
  static let bitCast = ONNXMapping(["BitCast"], 26...newest, inputs: 1...1, attributes: ["to"]) {
    c throws(Diagnostic) in
    guard let target = try c.elementType("to") else { throw .invalid("attribute \"to\" is missing") }
    let x = try c.input(0)
    return [try c.element(x) == target ? x : try c.add(BitCast(to: target), x)]
  }
}

extension ONNXNodeContext {
  fileprivate func converted(_ x: ValueID, to target: ElementType) throws(Diagnostic) -> ValueID {
    let source = try element(x)
    if source == target { return x }
    if source == .string { return try add(StringParse(to: target), x) }
    if target == .string { return try add(StringFormat(), x) }
    // Out of range there is no right answer; the format's own tests expect the low bits.
    if source.isFloat, target.bits < 8, !target.isFloat { return try cast(try cast(x, to: .i32), to: target) }
    let mode = try string("round_mode", default: "up")
    guard let rounding = ScaleFloat.Rounding(rawValue: mode) else {
      throw .invalid("attribute \"round_mode\" is \"\(mode)\", expected up, down or nearest")
    }
    let saturate = try flag("saturate", default: true)
    return try add(Cast(to: target, saturate: saturate, rounding: target == .f8e8m0 ? rounding : .up), x)
  }
}
