let sequenceOps: [any OpKind.Type] = []
