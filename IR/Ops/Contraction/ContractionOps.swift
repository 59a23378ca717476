/// The ops that multiply and add up: nearly all of a model's time.
let contractionOps: [any OpKind.Type] = [
  MatMul.self, Conv.self, ConvTranspose.self, DeformConv.self, Determinant.self,
]
