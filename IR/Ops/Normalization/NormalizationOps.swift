/// The ops that scale the elements of a row by what the row's elements are like.
let normalizationOps: [any OpKind.Type] = [LayerNorm.self, RMSNorm.self]
