/// The ops that make constants and compute with extents.
let shapeOps: [any OpKind.Type] = [Constant.self, Shape.self, DimValue.self, Extent.self, Iota.self]
