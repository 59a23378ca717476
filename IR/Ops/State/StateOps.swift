/// The ops that read and write memory that outlives a run.
let stateOps: [any OpKind.Type] = [StateRead.self, StateUpdate.self]
