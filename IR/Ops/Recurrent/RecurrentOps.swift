/// The ops that carry a state from one step of a sequence to the next.
let recurrentOps: [any OpKind.Type] = [LSTM.self, GRU.self, RNN.self]
