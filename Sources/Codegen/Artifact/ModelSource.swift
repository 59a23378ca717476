import IR
import Support

/// The C translation unit of an artifact: its tables, and the scheduled program as straight C.
///
/// Everything that computes is in kernels; what remains is dim arithmetic, a few
/// copies, control flow and dispatches. C says that as clearly as any IR would,
/// clang makes one object of it and the runtime, and a reader can follow it.
public struct ModelSource {
  /// Where the runtime is.
  public enum RuntimePlace: Sendable {
    /// In the same unit, as far as the program needs it.
    case included
    /// All of it in an object of its own; the text declares it.
    case apart(declarations: String)
  }

  public struct Options: Sendable {
    /// The artifact's name: prefix of its symbols.
    public var name: String
    public var target: String
    /// The compile options that shaped the code, for people.
    public var options: String
    public var sourceHash: String
    /// CPU features that `create` checks.
    public var features: [String]
    public var maximumThreads: Int
    /// The side file's base name and hash; nil embeds the weights.
    public var weightsFile: (name: String, hash: UInt64)?
    public var metadata: String
    /// Whether every step is measured.
    public var profiles: Bool
    public var runtime: RuntimePlace

    public init(
      name: String, target: String, options: String, sourceHash: String, features: [String], maximumThreads: Int,
      weightsFile: (name: String, hash: UInt64)? = nil, metadata: String, profiles: Bool = false,
      runtime: RuntimePlace = .included
    ) {
      self.name = name
      self.target = target
      self.options = options
      self.sourceHash = sourceHash
      self.features = features
      self.maximumThreads = maximumThreads
      self.weightsFile = weightsFile
      self.metadata = metadata
      self.profiles = profiles
      self.runtime = runtime
    }
  }

  private let program: Program
  private let options: Options
  private var out = CodeWriter()
  private var name: String { options.name }

  public static func text(_ program: Program, _ options: Options) -> String {
    var source = ModelSource(program, options)
    source.emit()
    return source.out.text
  }

  private init(_ program: Program, _ options: Options) {
    self.program = program
    self.options = options
  }

  private mutating func emit() {
    out.line("/* The model \(CSyntax.comment(program.name)), made by Martlet for \(options.target). */")
    let steps = options.profiles ? program.profiledSteps : []
    if options.profiles { out.line("#define MARTLET_PROFILE \(program.entries.count + steps.count)") }
    switch options.runtime {
    case .included:
      for file in ["runtime.c"] + program.runtimeFiles { out.line("#include \"\(file)\"") }
    case .apart(let declarations): out.line(declarations)
    }
    out.line()
    for kernel in program.kernels {
      out.line("extern int32_t \(kernel.name)(void *const *, const int64_t *, int64_t, int64_t) MARTLET_HIDDEN;")
    }
    let hasWeights = program.weightBytes > 0
    if hasWeights, options.weightsFile == nil {
      out.line("extern const void *const \(name)_weights_pointer MARTLET_HIDDEN;")
    }
    // By number, since an entry may be called anything: `table`, or what a part of another entry is called.
    let entryNames = program.entries.indices.map { "\(name)_entry\($0)" }
    var count = program.entries.count
    for (number, (entry, prefix)) in zip(program.entries, entryNames).enumerated() {
      out.line()
      out.line("/* entry \(CSyntax.comment(entry.name)) */")
      var source = EntrySource(entry, prefix: prefix, counts: options.profiles ? (entry: number, steps: count) : nil)
      source.emit(&out)
      count += steps.count { $0.entry == number }
    }
    if options.profiles { emitProfile(program.entries.map(\.name) + steps.map(\.site)) }
    emitState()
    emitTable(entryNames, hasWeights: hasWeights)
  }

  /// The table of what is counted.
  private mutating func emitProfile(_ names: [String]) {
    out.line()
    out.line("static const char *const \(name)_profile_names[] = {")
    for name in names { out.line("\(CSyntax.quoted(name)),") }
    out.line("};")
    out.line("static const martlet_profile \(name)_profile = {")
    out.line("sizeof(martlet_profile), sizeof(martlet_step_count), MARTLET_PROFILE, 0, \(name)_profile_names,")
    out.line("martlet_ticks, martlet_read_counts, martlet_clear_counts")
    out.line("};")
  }

  private mutating func emitState() {
    out.line()
    out.line("static martlet_status \(name)_initialize(martlet_context *context) {")
    for state in program.states {
      guard let initial = state.initial,
        let weight = program.weights.first(where: { $0.name == initial })
      else { continue }
      out.line(
        "__builtin_memcpy(context->state + \(state.offset), context->weights + \(weight.offset), \(state.bytes));")
    }
    out.line("(void)context;")
    out.line("return MARTLET_OK;")
    out.line("}")
  }

  private mutating func emitTable(_ entryNames: [String], hasWeights: Bool) {
    out.line()
    out.line("static martlet_status \(name)_table_create(const martlet_options *options, martlet_context **context);")
    out.line("static int64_t \(name)_table_context_size(void);")
    let entries = entryNames.map { "&\($0)" }.joined(separator: ", ")
    out.line("static const martlet_entry *const \(name)_entries[] = {\(entries)};")
    out.line("static const martlet_model \(name)_table = {")
    let fields = [
      ".magic = MARTLET_MAGIC", ".abi_version = MARTLET_ABI_VERSION", ".struct_size = sizeof(martlet_model)",
      ".entry_count = \(entryNames.count)", ".name = \(CSyntax.quoted(name))",
      ".target = \(CSyntax.quoted(options.target))", ".options = \(CSyntax.quoted(options.options))",
      ".source_hash = \(CSyntax.quoted(options.sourceHash))", ".metadata = \(CSyntax.quoted(options.metadata))",
      ".weights_size = \(program.weightBytes)", ".state_size = \(program.stateBytes)", ".entries = \(name)_entries",
      ".create = \(name)_table_create", ".destroy = martlet_destroy", ".context_size = \(name)_table_context_size",
      ".reserve = martlet_reserve", ".grow = martlet_grow", ".reset = martlet_reset",
      ".last_error = martlet_last_error", ".status_text = martlet_status_text",
      ".thread_count = martlet_thread_count", ".workspace_bytes = martlet_own_workspace",
      ".pool_create = martlet_pool_create", ".pool_destroy = martlet_pool_destroy",
    ]
    for field in fields { out.line(field + ",") }
    if options.profiles { out.line(".profile = &\(name)_profile,") }
    out.line("};")
    let features = (options.features.map { CSyntax.quoted($0) } + ["NULL"]).joined(separator: ", ")
    out.line("static const char *const \(name)_features[] = {\(features)};")
    let pointer = hasWeights && options.weightsFile == nil ? "&\(name)_weights_pointer" : "NULL"
    out.line("static const martlet_config \(name)_config = {")
    out.line(".model = &\(name)_table,")
    out.line(".features = \(name)_features,")
    out.line(".weights_pointer = \(pointer),")
    out.line(".weights_file = \(options.weightsFile.map { CSyntax.quoted($0.name) } ?? "NULL"),")
    out.line(".weights_hash = \(options.weightsFile.map { "\($0.hash)u" } ?? "0"),")
    out.line(".maximum_threads = \(options.maximumThreads),")
    out.line(".initialize = \(name)_initialize,")
    out.line("};")
    out.line("static martlet_status \(name)_table_create(const martlet_options *options, martlet_context **context) {")
    out.line("return martlet_create(&\(name)_config, options, context);")
    out.line("}")
    out.line("static int64_t \(name)_table_context_size(void) { return martlet_context_bytes(&\(name)_config); }")
    out.line("MARTLET_EXPORT const martlet_model *\(name)_model(void);")
    out.line("MARTLET_EXPORT const martlet_model *\(name)_model(void) { return &\(name)_table; }")
  }
}

extension Program {
  /// The files of the runtime that only programs with texts or lists need.
  fileprivate var runtimeFiles: [String] {
    var files: Set<String> = []
    for entry in entries {
      entry.body.forEachCall { files.insert($0.file) }
      if entry.outputs.contains(where: { $0.value.tensor == nil }) { files.insert("lists.c") }
    }
    return files.isEmpty ? [] : ["keep.c"] + files.sorted()
  }
}
