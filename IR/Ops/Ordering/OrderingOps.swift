/// The ops that compare elements with each other or run along an axis in order.
let orderingOps: [any OpKind.Type] = [ArgExtreme.self, Cumulative.self, TopK.self, Unique.self, NonMaxSuppression.self]
