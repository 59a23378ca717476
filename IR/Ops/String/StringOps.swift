/// The ops that read or make texts. All others take texts for elements that they move.
let stringOps: [any OpKind.Type] = [
  StringConcat.self, StringSplit.self, StringCase.self, StringFind.self, StringMatch.self, StringParse.self,
  StringFormat.self,
]
