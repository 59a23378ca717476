import Support
extension KernelBuilder {
  func decodeSmallFloat(_ x: LoopValue, _ e: ElementType) -> LoopValue { fatalError() }
  func encodeSmallFloat(_ x: LoopValue, _ e: ElementType, saturate: Bool) -> LoopValue { fatalError() }
}
extension VectorMath {
  func sin(_ x: LoopValue) -> LoopValue { fatalError() }
  func cos(_ x: LoopValue) -> LoopValue { fatalError() }
  func pow(_ x: LoopValue, _ y: LoopValue) -> LoopValue { fatalError() }
}
