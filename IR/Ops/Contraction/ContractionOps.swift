let contractionOps: [any OpKind.Type] = []
