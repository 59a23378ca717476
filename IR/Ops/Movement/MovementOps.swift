/// The ops that move elements without computing with them.
let movementOps: [any OpKind.Type] = [
  Reshape.self, Transpose.self, Slice.self, Concat.self, Gather.self, Broadcast.self, Pad.self, NonZero.self,
]
