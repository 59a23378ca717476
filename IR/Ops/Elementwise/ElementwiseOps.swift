/// The ops that compute each element on its own.
let elementwiseOps: [any OpKind.Type] = [
  Unary.self, Binary.self, Compare.self, Select.self, Cast.self, BitCast.self,
]
