let reductionOps: [any OpKind.Type] = []
