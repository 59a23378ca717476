/// The ops that move elements without computing with them.
let movementOps: [any OpKind.Type] = [Transpose.self]
