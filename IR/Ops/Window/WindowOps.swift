let windowOps: [any OpKind.Type] = []
