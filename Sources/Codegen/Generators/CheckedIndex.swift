import IR
import Support

extension KernelScope {
  /// Indices in the register form of `element` as positions below `extent`; negative ones count from the end, others
  /// leave the kernel with a status. Lanes outside of `mask` stand for no index and are never wrong.
  func checkedIndex(
    _ raw: LoopValue, _ element: ElementType, _ extent: Dim, mask: LoopValue? = nil
  ) -> LoopValue {
    let lanes = build.type(raw).lanes
    let wide = LoopType(.i64, lanes: lanes)
    let number = build.convert(element.isSigned ? .signExtend : .zeroExtend, raw, to: wide)
    let count = build.splat(index(extent), lanes: lanes)
    let isNegative = build.compare(.lt, number, build.zero(wide))
    let wrapped = build.select(isNegative, build.add(number, count), number)
    var fits = build.compare(.ult, wrapped, count)
    if let mask { fits = build.binary(.or, fits, build.unary(.not, mask)) }
    build.check(lanes > 1 ? build.reduce(.and, fits) : fits, status: KernelStatus.indexOutOfRange)
    return wrapped
  }

  /// Elements of kernels that only move things: fewer are not worth a second thread.
  static var movedElementsPerThread: Int { 16384 }

  /// How many units of `elements` elements make a thread worth waking.
  static func grain(_ elements: Dim, otherwise: Int = 64) -> Int {
    Swift.max(1, movedElementsPerThread / Swift.max(1, elements.constant ?? otherwise))
  }
}
