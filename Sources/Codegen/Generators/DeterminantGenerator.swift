import IR
import Support

/// Determinants by elimination on a copy in f64, one matrix after the other, in the order of `evaluate`.
struct DeterminantGenerator {
  let count: Dim
  let order: Dim
  let source: TensorView
  /// As many f64 as the source has elements.
  let copy: BufferID
  let target: TensorView

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let (from, to) = (try ElementForm(source.element), try ElementForm(target.element))
    let input = scope.buffer(source.buffer, from.memory, .read)
    let work = scope.buffer(copy, .f64, .update)
    let output = scope.buffer(target.buffer, to.memory, .write)
    let wide = LoopType(.f64)
    let (n, size) = (scope.index(order), scope.index(order * order))
    var failure: Diagnostic?
    scope.partition(count) { low, high in
      build.forEach(low, high) { number in
        let base = build.mul(number, size)
        build.forEach(build.index(0), size) { i in
          let position = build.add(base, i)
          let value = scope.read(input, from, positions: position)
          build.store(build.convert(.floatExtend, value, to: wide), Address(work, position))
        }
        let result = eliminate(build, work, base, n)
        do throws(Diagnostic) {
          let rounded = try scope.convert(result, from: .f64, to: target.element, saturate: false)
          scope.write(rounded, to: output, to, at: number, stride: 1)
        } catch { failure = error }
      }
    }
    if let failure { throw failure }
  }

  private func eliminate(
    _ build: KernelBuilder, _ work: BufferReference, _ base: LoopValue, _ n: LoopValue
  ) -> LoopValue {
    let wide = LoopType(.f64)
    func place(_ row: LoopValue, _ column: LoopValue) -> Address {
      Address(work, build.add(base, build.add(build.mul(row, n), column)))
    }
    func element(_ row: LoopValue, _ column: LoopValue) -> LoopValue { build.load(wide, place(row, column)) }
    return build.forLoop(build.index(0), n, carrying: [build.float(1, wide)]) { k, carried in
      let next = build.add(k, 1)
      let pivot = build.forLoop(next, n, carrying: [k, build.unary(.abs, element(k, k))]) { row, best in
        let magnitude = build.unary(.abs, element(row, k))
        let isGreater = build.compare(.gt, magnitude, best[1])
        return [build.select(isGreater, row, best[0]), build.select(isGreater, magnitude, best[1])]
      }[0]
      let head = element(pivot, k)
      let signed = build.select(build.compare(.eq, pivot, k), head, build.unary(.neg, head))
      build.forEach(k, n) { column in
        let (upper, lower) = (element(k, column), element(pivot, column))
        build.store(lower, place(k, column))
        build.store(upper, place(pivot, column))
      }
      let isZero = build.compare(.eq, head, build.float(0, wide))
      let divisor = build.select(isZero, build.float(1, wide), head)
      build.forEach(next, n) { row in
        let factor = build.div(element(row, k), divisor)
        build.forEach(k, n) { column in
          let reduced = build.sub(element(row, column), build.mul(factor, element(k, column)))
          build.store(reduced, place(row, column))
        }
      }
      return [build.mul(carried[0], signed)]
    }[0]
  }
}
