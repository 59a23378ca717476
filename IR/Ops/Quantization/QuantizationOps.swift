let quantizationOps: [any OpKind.Type] = []
