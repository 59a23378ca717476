import Support

/// Checked loads and stores of the interpreter.
extension InterpreterCompiler {
  /// Where an access goes: memory number, index register, constant offset and element size.
  private struct Place {
    let memory: Int
    let index: Int?
    let offset: Int
    let bytes: Int

    /// The element that the address names; nil when that overflows.
    func element(_ machine: InterpreterMachine) -> Int? {
      guard let index else { return offset }
      let sum = machine.index(index).addingReportingOverflow(offset)
      return sum.overflow ? nil : sum.partialValue
    }
  }

  private func place(_ address: Address) -> Place {
    let index = address.index.map { register($0) }
    switch address.buffer {
    case .parameter(let number):
      return Place(memory: number, index: index, offset: address.offset, bytes: kernel.buffers[number].scalar.bytes)
    case .local(let number):
      return Place(
        memory: kernel.buffers.count + number, index: index, offset: address.offset,
        bytes: kernel.locals[number].scalar.bytes)
    }
  }

  private func outOfBounds(_ statement: Statement, _ element: Int?) -> Diagnostic {
    fault(element.map { "element \($0) is out of bounds" } ?? "an index overflows", statement)
  }

  private func fault(_ what: String, _ statement: Statement) -> Diagnostic {
    .invalid(what, at: Location(path: "kernel @\(kernel.name): " + KernelPrinter(kernel).text(of: statement)))
  }

  /// The byte offset of an access of `type`, checked lane by lane.
  private func locate(
    _ place: Place, _ type: LoopType, _ mask: LoopValue?, _ alignment: Int, _ statement: Statement
  ) -> (InterpreterMachine) throws(Diagnostic) -> Int {
    let mask = mask.map { register($0) }
    return { machine throws(Diagnostic) in
      guard let element = place.element(machine) else { throw self.outOfBounds(statement, nil) }
      let start = element.multipliedReportingOverflow(by: place.bytes)
      if start.overflow { throw self.outOfBounds(statement, element) }
      let end = start.partialValue.addingReportingOverflow(type.bytes)
      let size = machine.memory[place.memory].count
      if start.partialValue & (alignment - 1) != 0 {
        throw self.fault("element \(element) is not aligned to \(alignment)", statement)
      }
      if start.partialValue >= 0 && !end.overflow && end.partialValue <= size { return start.partialValue }
      // Partly outside: that is fine where the mask is clear.
      if let mask {
        for lane in 0..<type.lanes where machine.registers[mask + lane] != 0 {
          let from = start.partialValue.addingReportingOverflow(lane * type.scalar.bytes)
          if from.overflow || from.partialValue < 0 || from.partialValue > size - type.scalar.bytes {
            throw self.outOfBounds(statement, element)
          }
        }
        return start.partialValue
      }
      throw self.outOfBounds(statement, element)
    }
  }

  /// A load or store of neighbouring elements. Lanes that are masked off read as zero.
  func access(
    _ direction: Direction, _ value: LoopValue, _ address: Address, _ mask: LoopValue?, _ alignment: Int,
    _ statement: Statement
  ) -> InterpreterStep {
    let lanes = moved(value, mask)
    let place = place(address)
    let locate = locate(place, kernel[value], mask, alignment, statement)
    let bytes = lanes.scalar.bytes
    return { machine throws(Diagnostic) in
      let start = try locate(machine)
      let memory = machine.memory[place.memory]
      for lane in 0..<lanes.count {
        if lanes.isOn(lane, machine) {
          lanes.move(direction, lane, machine, memory, start + lane * bytes)
        } else if direction == .load {
          machine.registers[lanes.first + lane] = 0
        }
      }
    }
  }

  /// The byte offset of one lane of a gather or scatter.
  private func locateLane(
    _ place: Place, _ indices: LoopValue, _ statement: Statement
  ) -> (InterpreterMachine, Int) throws(Diagnostic) -> Int {
    let first = register(indices)
    let bits = kernel[indices].scalar.bits
    return { machine, lane throws(Diagnostic) in
      guard let base = place.element(machine) else { throw self.outOfBounds(statement, nil) }
      let index = InterpreterInteger.signed(machine.registers[first + lane], bits)
      let element = base.addingReportingOverflow(index)
      let count = machine.memory[place.memory].count / place.bytes
      guard !element.overflow, element.partialValue >= 0, element.partialValue < count else {
        throw self.outOfBounds(statement, element.overflow ? nil : element.partialValue)
      }
      return element.partialValue * place.bytes
    }
  }

  /// A gather or scatter. Lanes that are masked off read as zero.
  func accessEach(
    _ direction: Direction, _ value: LoopValue, _ address: Address, _ indices: LoopValue, _ mask: LoopValue?,
    _ statement: Statement
  ) -> InterpreterStep {
    let lanes = moved(value, mask)
    let place = place(address)
    let locate = locateLane(place, indices, statement)
    return { machine throws(Diagnostic) in
      for lane in 0..<lanes.count {
        if lanes.isOn(lane, machine) {
          lanes.move(direction, lane, machine, machine.memory[place.memory], try locate(machine, lane))
        } else if direction == .load {
          machine.registers[lanes.first + lane] = 0
        }
      }
    }
  }

  enum Direction { case load, store }

  /// Where a value's lanes lie, and which of them an access moves.
  private struct Lanes {
    let first: Int
    let count: Int
    let scalar: LoopScalar
    let mask: Int?

    func isOn(_ lane: Int, _ machine: InterpreterMachine) -> Bool {
      guard let mask else { return true }
      return machine.registers[mask + lane] != 0
    }

    func move(
      _ direction: Direction, _ lane: Int, _ machine: InterpreterMachine, _ memory: UnsafeMutableRawBufferPointer,
      _ start: Int
    ) {
      switch direction {
      case .load: machine.registers[first + lane] = scalar.read(memory, start)
      case .store: scalar.write(machine.registers[first + lane], memory, start)
      }
    }
  }

  private func moved(_ value: LoopValue, _ mask: LoopValue?) -> Lanes {
    let type = kernel[value]
    return Lanes(
      first: register(value), count: type.lanes, scalar: type.scalar, mask: mask.map { register($0) })
  }
}

extension LoopScalar {
  /// Little-endian, like every machine that Martlet generates code for.
  fileprivate func read(_ memory: UnsafeMutableRawBufferPointer, _ start: Int) -> UInt64 {
    switch bytes {
    case 1:
      let byte = memory[start]
      return self == .i1 ? (byte != 0 ? 1 : 0) : UInt64(byte)
    case 2: return UInt64(memory.loadUnaligned(fromByteOffset: start, as: UInt16.self))
    case 4: return UInt64(memory.loadUnaligned(fromByteOffset: start, as: UInt32.self))
    default: return memory.loadUnaligned(fromByteOffset: start, as: UInt64.self)
    }
  }

  fileprivate func write(_ bits: UInt64, _ memory: UnsafeMutableRawBufferPointer, _ start: Int) {
    switch bytes {
    case 1: memory[start] = UInt8(truncatingIfNeeded: bits)
    case 2: memory.storeBytes(of: UInt16(truncatingIfNeeded: bits), toByteOffset: start, as: UInt16.self)
    case 4: memory.storeBytes(of: UInt32(truncatingIfNeeded: bits), toByteOffset: start, as: UInt32.self)
    default: memory.storeBytes(of: bits, toByteOffset: start, as: UInt64.self)
    }
  }
}
