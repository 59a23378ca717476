/// The ops that own regions.
let controlOps: [any OpKind.Type] = [If.self, Loop.self, Scan.self, Fusion.self]
