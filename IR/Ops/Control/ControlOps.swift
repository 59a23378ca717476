let controlOps: [any OpKind.Type] = []
