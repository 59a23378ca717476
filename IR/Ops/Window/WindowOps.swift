/// The ops that combine the elements under a sliding window.
let windowOps: [any OpKind.Type] = [Pool.self]
