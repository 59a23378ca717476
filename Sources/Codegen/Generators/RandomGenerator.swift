import IR
import Support

/// SplitMix64 by position: as many elements at a time as 64-bit lanes fit.
struct RandomGenerator {
  let kind: RandomBits
  let count: Dim
  let target: TensorView

  private static let elementsPerThread = 8192

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(target.element)
    let to = scope.buffer(target.buffer, form.memory, .write)
    scope.partition(count, grain: Self.elementsPerThread) { low, high in
      scope.span(low, high, lanes: scope.profile.lanes(bits: 64)) { first, lanes, mask in
        let type = LoopType(.i64, lanes: lanes)
        func constant(_ value: UInt64) -> LoopValue { build.integer(Int(bitPattern: UInt(value)), type) }
        let place = build.splat(build.add(first, 1), lanes: lanes)
        let position = lanes == 1 ? place : build.add(place, build.iota(type))
        var x = build.add(build.mul(position, constant(RandomBits.step)), constant(kind.key))
        for (number, shift) in RandomBits.shifts.enumerated() {
          x = build.binary(.xor, x, build.binary(.ushr, x, build.integer(shift, type)))
          if number < RandomBits.multipliers.count { x = build.mul(x, constant(RandomBits.multipliers[number])) }
        }
        if form.register == .i32 {
          x = build.convert(.truncate, build.binary(.ushr, x, build.integer(32, type)), to: type.with(.i32))
        }
        scope.write(x, to: to, form, at: first, stride: 1, mask: mask)
      }
    }
  }
}
