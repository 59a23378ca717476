/// The ops of attention between positions of sequences.
let attentionOps: [any OpKind.Type] = [Attention.self, LinearAttention.self, Rope.self]
