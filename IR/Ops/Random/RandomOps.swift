/// The source of everything random; distributions are arithmetic on its numbers.
let randomOps: [any OpKind.Type] = [RandomBits.self]
