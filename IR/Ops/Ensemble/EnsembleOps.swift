/// The ops on ensembles of decision trees.
let ensembleOps: [any OpKind.Type] = [TreeEnsemble.self]
