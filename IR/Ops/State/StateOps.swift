let stateOps: [any OpKind.Type] = []
