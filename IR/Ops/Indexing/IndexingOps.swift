/// The ops that find or place elements by indices that are data.
let indexingOps: [any OpKind.Type] = [
  GatherElements.self, GatherND.self, ScatterElements.self, ScatterND.self, ReverseSequence.self,
]
