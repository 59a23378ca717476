/// The ops on values that may be absent.
let optionalOps: [any OpKind.Type] = [OptionalMake.self, OptionalHas.self, OptionalGet.self]
