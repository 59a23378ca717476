import IR
import Support
import Targets

/// From the fused graph to the program that `run` executes.
public enum Scheduler {
  public static func schedule(_ module: Module, for profile: Profile) throws(Diagnostic) -> Program {
    let store = ProgramStore(module: module)
    var entries: [ProgramEntry] = []
    for function in module.functions where function.isEntry {
      entries.append(try schedule(function, of: module, profile, store))
    }
    store.keepKernels(entries.reduce(into: []) { names, entry in entry.body.forEachKernel { names.insert($0) } })
    return Program(
      name: module.name, entries: entries, kernels: store.kernels, weights: store.weights,
      weightBytes: store.weightBytes, states: store.states, stateBytes: store.stateBytes, notes: store.notes)
  }

  private static func schedule(
    _ function: Function, of module: Module, _ profile: Profile, _ store: ProgramStore
  ) throws(Diagnostic) -> ProgramEntry {
    let program = ProgramBuilder(module: module, function: function, profile: profile, shared: store)
    try SymbolEquations(function).requireAll(of: function.name)
    let body = function[function.body]
    var inputs: [Port] = []
    for (number, argument) in body.arguments.enumerated() {
      let name = function[argument].name ?? "input\(number)"
      do throws(Diagnostic) {
        inputs.append(try program.receive(argument, input: number, name: name))
      } catch {
        throw Diagnostic(error.kind, "input \"\(name)\": \(error.message)", at: error.location, hint: error.hint)
      }
    }
    for (number, range) in IndexRanges.of(function) { inputs[number].accepts = range }
    try program.lower(function.body)
    var outputs: [Port] = []
    for (number, value) in body.yields.enumerated() {
      outputs.append(try program.addOutput(value, number, name: function.resultNames[number]))
    }
    // Views of the workspace come last: only then is it known what stays in the workspace.
    for isView in [false, true] {
      for (number, value) in body.yields.enumerated() where outputs[number].isView(program.inputSymbols) == isView {
        try program.deliver(value, output: number, as: outputs[number])
      }
    }
    let given = program.shadowStates(program.collected)
    var inPlace = InPlace(program)
    let steps = inPlace.rewrite(given)
    let (buffers, plan) = try MemoryPlanner.plan(program, steps)
    program.note("results written over operands: \(inPlace.count)")
    program.note("a workspace of \(plan.fixedBytes) bytes, where no plan could do with less than \(plan.lowerBound)")
    store.notes += program.notes.map { "memory: @\(function.name): \($0)" }
    let entrySymbols = boundByInputs(inputs)
    if let symbol = SymbolCheck.undetermined(steps, buffers, given: entrySymbols) {
      throw .unsupported("entry @\(function.name): \(symbol) follows from no input", hint: "settle it with --shape")
    }
    return ProgramEntry(
      name: function.name, symbols: module.symbols.filter { entrySymbols.contains($0.name) }, inputs: inputs,
      outputs: outputs, buffers: buffers, body: steps, plan: plan)
  }

  /// Symbols that the inputs' shapes mention; the others are computed on the way.
  private static func boundByInputs(_ inputs: [Port]) -> Set<String> {
    var symbols: Set<String> = []
    for input in inputs { for dim in input.shape { symbols.formUnion(dim.symbols) } }
    return symbols
  }
}
