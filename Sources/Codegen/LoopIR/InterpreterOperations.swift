import Support

/// Every operation of loop IR as a step.
extension InterpreterCompiler {
  func define(_ value: LoopValue, _ operation: LoopOperation, _ statement: Statement) -> InterpreterStep {
    let type = kernel[value]
    let result = register(value)
    switch operation {
    case .integer(let number): return fill(result, type.lanes, InterpreterInteger.bits(number, type.scalar.bits))
    case .float(let number): return fill(result, type.lanes, InterpreterFloat.bits(number, type.scalar))
    case .scalar(let number):
      return { machine in machine.registers[result] = UInt64(bitPattern: Int64(machine.scalars[number])) }
    case .thread: return { machine in machine.registers[result] = UInt64(bitPattern: Int64(machine.thread)) }
    case .threads: return { machine in machine.registers[result] = UInt64(bitPattern: Int64(machine.threads)) }
    case .unary(let unary, let a):
      let compute =
        type.scalar.isFloat
        ? InterpreterFloat.unary(unary, type.scalar) : InterpreterInteger.unary(unary, type.scalar.bits)
      return map(value, a, compute)
    case .binary(let binary, let a, let b): return self.binary(value, binary, a, b, statement)
    case .compare(let comparison, let a, let b): return compare(value, comparison, a, b)
    case .select(let condition, let a, let b): return select(value, condition, a, b)
    case .fma(let a, let b, let c): return fma(value, a, b, c)
    case .convert(let conversion, let a): return convert(value, conversion, a)
    case .load(let address, let mask, let alignment): return access(.load, value, address, mask, alignment, statement)
    case .gather(let address, let indices, let mask): return accessEach(.load, value, address, indices, mask, statement)
    case .dot4(let accumulator, let unsigned, let signed): return dot4(value, accumulator, unsigned, signed)
    case .splat, .iota, .extract, .insert, .shuffle, .reduce: return lanes(value, operation)
    }
  }

  private func fill(_ result: Int, _ lanes: Int, _ bits: UInt64) -> InterpreterStep {
    { machine in
      for lane in 0..<lanes { machine.registers[result + lane] = bits }
    }
  }

  private func map(_ value: LoopValue, _ a: LoopValue, _ compute: @escaping (UInt64) -> UInt64) -> InterpreterStep {
    let (result, source, lanes) = (register(value), register(a), kernel[value].lanes)
    return { machine in
      for lane in 0..<lanes { machine.registers[result + lane] = compute(machine.registers[source + lane]) }
    }
  }

  // MARK: Arithmetic

  private func binary(
    _ value: LoopValue, _ binary: BinaryOperation, _ a: LoopValue, _ b: LoopValue, _ statement: Statement
  ) -> InterpreterStep {
    let type = kernel[value]
    let (result, first, second) = (register(value), register(a), register(b))
    let lanes = type.lanes
    let compute =
      type.scalar.isFloat
      ? InterpreterFloat.binary(binary, type.scalar) : InterpreterInteger.binary(binary, type.scalar.bits)
    let run: InterpreterStep = { machine in
      for lane in 0..<lanes {
        machine.registers[result + lane] = compute(machine.registers[first + lane], machine.registers[second + lane])
      }
    }
    guard !type.scalar.isFloat, let limit = binary.operandLimit(type.scalar.bits) else { return run }
    return { machine throws(Diagnostic) in
      for lane in 0..<lanes {
        let operand = machine.registers[second + lane]
        if limit == 0 ? operand == 0 : operand >= limit {
          throw .invalid(
            limit == 0 ? "division by zero" : "a shift by \(operand)",
            at: Location(path: "kernel @\(self.kernel.name): " + KernelPrinter(self.kernel).text(of: statement)))
        }
      }
      try run(machine)
    }
  }

  private func compare(
    _ value: LoopValue, _ comparison: Comparison, _ a: LoopValue, _ b: LoopValue
  ) -> InterpreterStep {
    let scalar = kernel[a].scalar
    let (result, first, second, lanes) = (register(value), register(a), register(b), kernel[value].lanes)
    let holds =
      scalar.isFloat
      ? InterpreterFloat.compare(comparison, scalar) : InterpreterInteger.compare(comparison, scalar.bits)
    return { machine in
      for lane in 0..<lanes {
        let truth = holds(machine.registers[first + lane], machine.registers[second + lane])
        machine.registers[result + lane] = truth ? 1 : 0
      }
    }
  }

  private func select(_ value: LoopValue, _ condition: LoopValue, _ a: LoopValue, _ b: LoopValue) -> InterpreterStep {
    let (result, first, second, lanes) = (register(value), register(a), register(b), kernel[value].lanes)
    let truth = register(condition)
    let stride = kernel[condition].isVector ? 1 : 0
    return { machine in
      for lane in 0..<lanes {
        let source = machine.registers[truth + lane * stride] != 0 ? first : second
        machine.registers[result + lane] = machine.registers[source + lane]
      }
    }
  }

  private func fma(_ value: LoopValue, _ a: LoopValue, _ b: LoopValue, _ c: LoopValue) -> InterpreterStep {
    let type = kernel[value]
    let (result, x, y, z) = (register(value), register(a), register(b), register(c))
    let lanes = type.lanes
    let compute: (UInt64, UInt64, UInt64) -> UInt64
    if type.scalar.isFloat {
      compute = InterpreterFloat.fma(type.scalar, fused: hasFMA)
    } else {
      let mask = InterpreterInteger.mask(type.scalar.bits)
      compute = { ($0 &* $1 &+ $2) & mask }
    }
    return { machine in
      let registers = machine.registers
      for lane in 0..<lanes {
        registers[result + lane] = compute(registers[x + lane], registers[y + lane], registers[z + lane])
      }
    }
  }

  /// Unsigned bytes of one by signed bytes of the other, four to a lane.
  private func dot4(
    _ value: LoopValue, _ accumulator: LoopValue, _ unsigned: LoopValue, _ signed: LoopValue
  ) -> InterpreterStep {
    let (result, sum, first, second) = (
      register(value), register(accumulator), register(unsigned), register(signed)
    )
    let lanes = kernel[value].lanes
    return { machine in
      for lane in 0..<lanes {
        var total = Int32(truncatingIfNeeded: machine.registers[sum + lane])
        for byte in 4 * lane..<4 * lane + 4 {
          let a = Int32(UInt8(truncatingIfNeeded: machine.registers[first + byte]))
          let b = Int32(Int8(truncatingIfNeeded: machine.registers[second + byte]))
          total &+= a &* b
        }
        machine.registers[result + lane] = UInt64(UInt32(bitPattern: total))
      }
    }
  }

  // MARK: Conversion

  private func convert(_ value: LoopValue, _ conversion: Conversion, _ a: LoopValue) -> InterpreterStep {
    let (from, to) = (kernel[a].scalar, kernel[value].scalar)
    let bits = to.bits
    switch conversion {
    case .signExtend:
      return map(value, a) { InterpreterInteger.bits(InterpreterInteger.signed($0, from.bits), bits) }
    case .zeroExtend: return map(value, a) { $0 }
    case .truncate: return map(value, a) { $0 & InterpreterInteger.mask(bits) }
    case .floatExtend, .floatTruncate:
      if from == .f64 { return map(value, a) { InterpreterFloat.bits(Double(bitPattern: $0), to) } }
      if to == .f64 { return map(value, a) { InterpreterFloat.bits(InterpreterFloat.double($0, from), to) } }
      return map(value, a) { InterpreterFloat.bits(InterpreterFloat.float($0, from), to) }
    case .signedToFloat:
      if to == .f64 { return map(value, a) { Double(InterpreterInteger.signed($0, from.bits)).bitPattern } }
      return map(value, a) { InterpreterFloat.bits(Float(InterpreterInteger.signed($0, from.bits)), to) }
    case .unsignedToFloat:
      if to == .f64 { return map(value, a) { Double($0).bitPattern } }
      return map(value, a) { InterpreterFloat.bits(Float($0), to) }
    case .floatToSigned, .floatToUnsigned:
      let signed = conversion == .floatToSigned
      return map(value, a) {
        InterpreterFloat.toInteger(InterpreterFloat.double($0, from), bits, signed: signed)
      }
    case .bitcast: return bitcast(value, a)
    }
  }

  private func bitcast(_ value: LoopValue, _ a: LoopValue) -> InterpreterStep {
    let (from, to) = (kernel[a], kernel[value])
    let (result, source) = (register(value), register(a))
    if from.lanes == to.lanes { return map(value, a) { $0 } }
    let (narrow, wide) = (from.scalar.bits, to.scalar.bits)
    if narrow < wide {
      let ratio = wide / narrow
      return { machine in
        for lane in 0..<to.lanes {
          var bits: UInt64 = 0
          for part in 0..<ratio {
            bits |= machine.registers[source + lane * ratio + part] << UInt64(part * narrow)
          }
          machine.registers[result + lane] = bits
        }
      }
    }
    let ratio = narrow / wide
    let mask = InterpreterInteger.mask(wide)
    return { machine in
      for lane in 0..<from.lanes {
        let bits = machine.registers[source + lane]
        for part in 0..<ratio {
          machine.registers[result + lane * ratio + part] = (bits >> UInt64(part * wide)) & mask
        }
      }
    }
  }

  // MARK: Lanes

  private func lanes(_ value: LoopValue, _ operation: LoopOperation) -> InterpreterStep {
    let (result, count) = (register(value), kernel[value].lanes)
    switch operation {
    case .splat(let a):
      let source = register(a)
      return { machine in
        let bits = machine.registers[source]
        for lane in 0..<count { machine.registers[result + lane] = bits }
      }
    case .iota:
      let mask = InterpreterInteger.mask(kernel[value].scalar.bits)
      return { machine in
        for lane in 0..<count { machine.registers[result + lane] = UInt64(lane) & mask }
      }
    case .extract(let a, let lane):
      let source = register(a) + lane
      return { machine in machine.registers[result] = machine.registers[source] }
    case .insert(let a, let element, let lane):
      let (source, scalar) = (register(a), register(element))
      return { machine in
        for place in 0..<count { machine.registers[result + place] = machine.registers[source + place] }
        machine.registers[result + lane] = machine.registers[scalar]
      }
    case .shuffle(let a, let b, let lanes):
      let width = kernel[a].lanes
      let (first, second) = (register(a), register(b))
      let sources = lanes.map { $0 < 0 ? nil : $0 < width ? first + $0 : second + $0 - width }
      return { machine in
        for (place, source) in sources.enumerated() {
          machine.registers[result + place] = source.map { machine.registers[$0] } ?? 0
        }
      }
    case .reduce(let binary, let a): return reduce(value, binary, a)
    default: return { _ in }
    }
  }

  /// By halves, as compiled code does it; an odd last lane waits until the end.
  private func reduce(_ value: LoopValue, _ binary: BinaryOperation, _ a: LoopValue) -> InterpreterStep {
    let type = kernel[a]
    let (result, source) = (register(value), register(a))
    let compute =
      type.scalar.isFloat
      ? InterpreterFloat.binary(binary, type.scalar) : InterpreterInteger.binary(binary, type.scalar.bits)
    return { machine in
      var rest = (0..<type.lanes).map { machine.registers[source + $0] }
      var odd: UInt64?
      while rest.count > 1 {
        let half = rest.count / 2
        if rest.count % 2 == 1 {
          let last = rest[rest.count - 1]
          odd = odd.map { compute(last, $0) } ?? last
        }
        rest = (0..<half).map { compute(rest[$0], rest[half + $0]) }
      }
      machine.registers[result] = odd.map { compute(rest[0], $0) } ?? rest[0]
    }
  }
}

extension BinaryOperation {
  /// What the second operand may not be: zero for a divisor (0), the width or more for a shift.
  fileprivate func operandLimit(_ bits: Int) -> UInt64? {
    switch self {
    case .div, .rem, .udiv, .urem: 0
    case .shl, .shr, .ushr: UInt64(bits)
    default: nil
    }
  }
}
