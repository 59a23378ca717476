import IR

/// The functions of the runtime that programs call: what kernels cannot do, since it follows pointers.
///
/// Texts in a program are addresses of a pointer and a length each, so that kernels move them as integers; sequences and
/// optional values are records (`ListRecord`). What a call makes lies at the end of the workspace until the run ends.
public enum RuntimeFunction: String, Hashable, Sendable, CaseIterable {
  /// Addresses of the texts of an input; of the texts of a table among the weights; and texts for an output.
  case stringImport = "string_import"
  case stringTable = "string_table"
  case stringExport = "string_export"
  case stringEqual = "string_equal"
  case stringConcat = "string_concat"
  case stringCase = "string_case"
  case stringFind = "string_find"
  case stringMatch = "string_match"
  /// The numbers of pieces and the largest of them; then the pieces.
  case stringCount = "string_count"
  case stringSplit = "string_split"

  /// A list of an input.
  case listImport = "list_import"
  case listMake = "list_make"
  case listInsert = "list_insert"
  case listErase = "list_erase"
  case listLength = "list_length"
  /// The extents of a member; then its elements, or the list that it is.
  case listExtents = "list_extents"
  case listRead = "list_read"
  case listTake = "list_take"
  /// The extents of all members joined; then the elements.
  case listJoinedExtents = "list_joined_extents"
  case listJoin = "list_join"
  case listSplit = "list_split"

  /// The file of the runtime that has it.
  var file: String { rawValue.hasPrefix("string_") ? "strings.c" : "lists.c" }
}

extension [Step] {
  /// Every function of the runtime that the steps call.
  func forEachCall(_ body: (RuntimeFunction) -> Void) {
    for step in self {
      switch step {
      case .call(let call): body(call.function)
      case .ifElse(_, let then, let otherwise):
        then.forEachCall(body)
        otherwise.forEachCall(body)
      case .loop(_, _, _, _, let steps): steps.forEachCall(body)
      default: break
      }
    }
  }

  var makesCalls: Bool {
    var found = false
    forEachCall { _ in found = true }
    return found
  }
}
