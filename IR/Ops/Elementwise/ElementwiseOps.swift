let elementwiseOps: [any OpKind.Type] = []
