/// The ops that combine the elements along axes.
let reductionOps: [any OpKind.Type] = [Reduce.self, Softmax.self]
