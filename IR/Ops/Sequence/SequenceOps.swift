/// The ops on lists of values.
let sequenceOps: [any OpKind.Type] = [
  SequenceMake.self, SequenceAt.self, SequenceLength.self, SequenceInsert.self, SequenceErase.self, SequenceJoin.self,
  SequenceSplit.self, Widen.self,
]
