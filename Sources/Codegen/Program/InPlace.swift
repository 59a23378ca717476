import IR

/// Lets kernels write their results over operands that nobody needs any more.
///
/// A generator says which operand each of its results may replace (`KernelScope.mayOverwrite`); here, with the whole
/// entry at hand, it is seen where the operand dies in the very dispatch in which the result begins. The kernel then
/// takes one buffer that it updates in place of two.
struct InPlace {
  /// Parameters of a kernel.
  struct Pair: Hashable {
    var read: Int
    var written: Int
  }
  struct Variant: Hashable {
    var kernel: String
    var pair: Pair
  }

  /// Results that were written over operands.
  private(set) var count = 0
  private let program: ProgramBuilder
  private var lives: [BufferID: (first: Int, last: Int)] = [:]
  private var time = 0

  init(_ program: ProgramBuilder) { self.program = program }

  mutating func rewrite(_ steps: [Step]) -> [Step] {
    for life in Liveness(program.buffers).lives(of: steps).lives { lives[life.buffer] = (life.first, life.last) }
    return walk(steps)
  }

  /// Counts time as `Liveness` does.
  private mutating func walk(_ steps: [Step]) -> [Step] {
    var result: [Step] = []
    result.reserveCapacity(steps.count)
    for step in steps {
      time += 1
      switch step {
      case .dispatch(let dispatch): result.append(.dispatch(merged(dispatch)))
      case .ifElse(let condition, let then, let otherwise):
        let branch = walk(then)
        result.append(.ifElse(condition: condition, then: branch, else: walk(otherwise)))
      case .loop(let counter, let trip, let condition, let growing, let body):
        let inner = walk(body)
        time += 1
        result.append(.loop(counter: counter, trip: trip, condition: condition, growing: growing, body: inner))
      default: result.append(step)
      }
    }
    return result
  }

  private mutating func merged(_ dispatch: Dispatch) -> Dispatch {
    for pair in program.shared.overwritable[dispatch.kernel] ?? [] {
      let (operand, target) = (dispatch.buffers[pair.read].buffer, dispatch.buffers[pair.written].buffer)
      guard let (dying, born) = exchange(operand, target, dispatch),
        let kernel = program.shared.inPlace(dispatch.kernel, pair)
      else { continue }
      lives[dying]!.last = lives[born]!.last
      lives[born] = nil
      program.redirect(born, to: dying)
      count += 1
      var result = dispatch
      result.kernel = kernel
      result.buffers[pair.written] = BufferUse(target, .update)
      result.buffers.remove(at: pair.read)
      return result
    }
    return dispatch
  }

  /// The memories of an operand and a result where the one ends with what begins the other, both being of one size and
  /// of nobody else.
  private func exchange(
    _ operand: BufferID, _ target: BufferID, _ dispatch: Dispatch
  ) -> (dying: BufferID, born: BufferID)? {
    let buffers = program.buffers
    let (dying, born) = (program.root(of: operand), program.root(of: target))
    guard dying != born, lives[dying]?.last == time, lives[born]?.first == time,
      buffers[dying.number].place == .workspace, buffers[born.number].place == .workspace,
      buffers[dying.number].bytes == buffers[born.number].bytes, buffers.part(of: operand) == .whole,
      buffers.part(of: target) == .whole, buffers[operand.number].bytes == buffers[target.number].bytes,
      dispatch.buffers.filter({ [dying, born].contains(program.root(of: $0.buffer)) }).count == 2
    else { return nil }
    return (dying, born)
  }
}

extension [Step] {
  func forEachKernel(_ body: (String) -> Void) {
    for step in self {
      switch step {
      case .dispatch(let dispatch): body(dispatch.kernel)
      case .ifElse(_, let then, let otherwise):
        then.forEachKernel(body)
        otherwise.forEachKernel(body)
      case .loop(_, _, _, _, let steps): steps.forEachKernel(body)
      default: break
      }
    }
  }
}

extension Kernel {
  /// The kernel with one buffer that it updates, number `written`, in place of that and of the one it reads, number
  /// `read`; nil where these are of different scalars.
  func merging(_ read: Int, into written: Int) -> Kernel? {
    guard buffers.indices.contains(read), buffers.indices.contains(written), read != written,
      buffers[read].scalar == buffers[written].scalar
    else { return nil }
    var result = self
    let (from, to) = (buffers[read], buffers[written])
    result.buffers[written].access = .update
    result.buffers[written].alignment = Swift.max(from.alignment, to.alignment)
    result.buffers[written].elements =
      switch (from.elements, to.elements) {
      case (let a?, let b?): Swift.max(a, b)
      case (let a, let b): a ?? b
      }
    result.buffers.remove(at: read)
    result.body = body.mapBuffers { reference in
      guard case .parameter(let number) = reference else { return reference }
      let kept = number == read ? written : number
      return .parameter(kept > read ? kept - 1 : kept)
    }
    return result
  }
}

extension [Statement] {
  /// The same statements on other buffers.
  fileprivate func mapBuffers(_ rename: (BufferReference) -> BufferReference) -> [Statement] {
    func renamed(_ address: Address) -> Address {
      Address(rename(address.buffer), address.index, offset: address.offset)
    }
    return map { statement in
      switch statement {
      case .define(let value, .load(let address, let mask, let alignment)):
        return .define(value, .load(renamed(address), mask: mask, alignment: alignment))
      case .define(let value, .gather(let address, let indices, let mask)):
        return .define(value, .gather(renamed(address), indices: indices, mask: mask))
      case .define, .check: return statement
      case .store(let value, let address, let mask, let alignment):
        return .store(value, renamed(address), mask: mask, alignment: alignment)
      case .scatter(let value, let address, let indices, let mask):
        return .scatter(value, renamed(address), indices: indices, mask: mask)
      case .prefetch(let address, let write): return .prefetch(renamed(address), write: write)
      case .forLoop(var loop):
        loop.body = loop.body.mapBuffers(rename)
        return .forLoop(loop)
      case .whileLoop(var loop):
        loop.conditionBody = loop.conditionBody.mapBuffers(rename)
        loop.body = loop.body.mapBuffers(rename)
        return .whileLoop(loop)
      case .ifElse(var branch):
        branch.thenBody = branch.thenBody.mapBuffers(rename)
        branch.elseBody = branch.elseBody.mapBuffers(rename)
        return .ifElse(branch)
      }
    }
  }
}
