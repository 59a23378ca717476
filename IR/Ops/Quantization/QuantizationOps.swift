/// The ops between real numbers and the integers that stand for them.
let quantizationOps: [any OpKind.Type] = [Quantize.self, Dequantize.self, FakeQuant.self]
