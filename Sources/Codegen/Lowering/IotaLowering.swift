import IR
import Support

extension Iota: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let target = try program.allocate(for: program.function[op].results[0])
    try program.dispatch("iota", at: program.site(op)) { scope throws(Diagnostic) in
      let form = try ElementForm(.i64)
      let to = scope.buffer(target, .i64, .write)
      scope.partition(extent, grain: KernelScope.movedElementsPerThread) { low, high in
        scope.span(low, high, lanes: scope.profile.lanes(bits: 64)) { i, lanes, mask in
          var numbers = scope.build.splat(i, lanes: lanes)
          if lanes > 1 { numbers = scope.build.add(numbers, scope.laneOffsets(1, lanes)) }
          scope.write(numbers, to: to, form, at: i, stride: 1, mask: mask)
        }
      }
    }
  }
}
