import CommandLineKit

/// How every command is written and explained. What they do is in files of their own.
extension CommandSpec {
  private static let model = Positional("MODEL", "a .onnx or .mir file")
  private static let modelOrProgram = Positional("MODEL", "a .onnx or .mir file, or a .loops file made of one")
  private static let modelOrArtifact = Positional(
    "MODEL|ARTIFACT", "a .onnx or .mir file, or what `compile` made of one")

  public static let compile = CommandSpec(
    "compile", "compile a model into native code", positionals: [modelOrProgram], options: CompileKeys.compile,
    examples: [
      Example("compile digits.onnx -o build/digits.so", "a shared library and its header digits.h, for this machine"),
      Example(
        "compile digits.onnx -o digits --emit executable --target aarch64", "a program that runs on 64-bit Arm"),
      Example("compile digits.onnx -o digits.loops --to loops", "its kernels as text, from which compile goes on"),
    ])

  public static let convert = CommandSpec(
    "convert", "write a model, optimised, as a model file again", positionals: [model],
    options: [
      CompileKeys.output.spec, CompileKeys.shape.spec, CompileKeys.weights.spec, CompileKeys.from.spec,
      CompileKeys.to.spec,
    ] + CompileKeys.looking,
    examples: [
      Example("convert digits.onnx -o smaller.onnx", "the same model with its graph optimised"),
      Example(
        "convert digits.onnx -o one.onnx --shape image=1x1x8x8 --weights file",
        "for images one by one, with the weights in one.onnx.data"),
    ])

  public static let run = CommandSpec(
    "run", "run a model once", positionals: [modelOrArtifact],
    options: [
      RunKeys.entry.spec, RunKeys.input.spec, RunKeys.random.spec, RunKeys.outputDir.spec, RunKeys.saveInputs.spec,
      RunKeys.reference.spec, CompileKeys.name.spec,
    ] + CompileKeys.shared,
    examples: [
      Example(
        "run digits.onnx --input image=images.npy --output-dir out", "compiles it, runs it, writes out/scores.npy"),
      Example("run digits.so --random 1 --shape image=4x1x8x8", "runs a compiled model on made-up input"),
    ])

  public static let bench = CommandSpec(
    "bench", "measure how fast a model runs", positionals: [modelOrArtifact],
    options: [
      RunKeys.entry.spec, RunKeys.input.spec, RunKeys.seconds.spec, RunKeys.peers.spec, RunKeys.json.spec,
      CompileKeys.name.spec,
    ] + CompileKeys.shared,
    examples: [
      Example("bench digits.onnx --shape image=1x1x8x8 --threads 1", "the time of one image on one core"),
      Example("bench digits.onnx --shape image=64x1x8x8 --profile", "which ops the time goes to"),
      Example("bench digits.onnx --shape image=64x1x8x8 --vs onnxruntime --json", "in turn with another engine"),
    ])

  public static let verify = CommandSpec(
    "verify", "compare a compiled model's results with others", positionals: [model],
    options: [
      RunKeys.entry.spec, RunKeys.inputs.spec, RunKeys.expected.spec, RunKeys.against.spec, RunKeys.rtol.spec,
      RunKeys.atol.spec, RunKeys.perOp.spec, RunKeys.json.spec,
    ] + CompileKeys.shared,
    examples: [
      Example("verify digits.onnx --shape image=4x1x8x8 --against reference", "against each op's definition"),
      Example("verify digits.onnx --inputs in.npz --expected out.npz --rtol 1e-3", "against results kept before"),
    ])

  public static let inspect = CommandSpec(
    "inspect", "describe a model or an artifact", positionals: [modelOrArtifact],
    options: [
      RunKeys.json.spec, RunKeys.htmlPage.spec, RunKeys.profileFile.spec, CompileKeys.shape.spec,
      CompileKeys.target.spec,
    ],
    examples: [
      Example("inspect digits.so", "inputs, outputs, target and options of a compiled model"),
      Example(
        "inspect digits.onnx --shape image=1x1x8x8 --html digits.html",
        "a page with its ops and a picture of its memory"),
    ])

  public static let opt = CommandSpec(
    "opt", "run passes over a graph and print it", positionals: [Positional("FILE.mir", "a graph as text")],
    options: [RunKeys.passes.spec],
    examples: [Example("opt graph.mir --passes canonicalize,dead-code", "two passes, one after the other")])

  public static let bisect = CommandSpec(
    "bisect", "find the pass, the op and the rewrite that break a result", positionals: [model],
    options: [
      RunKeys.entry.spec, RunKeys.input.spec, RunKeys.random.spec, RunKeys.rtol.spec, RunKeys.atol.spec,
    ] + CompileKeys.shared,
    examples: [Example("bisect model.onnx --random 1", "the first rewrite after which results differ")])

  public static let reduce = CommandSpec(
    "reduce", "find the smallest graph that still fails",
    positionals: [
      model,
      Positional(
        "COMMAND",
        "behind --: ends with 0 while the graph it gets still fails; {} stands for the graph's file, else it comes last",
        .many),
    ],
    options: [
      CompileKeys.output.spec, ReduceCommand.fails.spec, ReduceCommand.limit.spec, ReduceCommand.trials.spec,
      RunKeys.entry.spec, RunKeys.input.spec, RunKeys.random.spec, RunKeys.saveInputs.spec, RunKeys.rtol.spec,
      RunKeys.atol.spec, RunKeys.json.spec,
    ] + CompileKeys.shared,
    examples: [
      Example("reduce model.onnx --fails verify -o small.mir", "what compiled code computes wrongly, and little else"),
      Example(
        "reduce model.onnx -o small.mir -- sh -c 'martlet run \"$1\" --random 1 | grep -q nan' sh",
        "any question that a command answers"),
    ])

  public static let completion = CommandSpec(
    "completion", "print what teaches a shell these commands",
    positionals: [Positional("SHELL", "bash, zsh or fish", choices: CompletionShell.allCases.map(\.rawValue))],
    examples: [Example("completion bash > ~/.local/share/bash-completion/completions/martlet", "for every new bash")])

  public static let ops = CommandSpec(
    "ops", "list the ops of the graph language", options: [OpsCommand.coverage.spec, RunKeys.json.spec],
    examples: [
      Example("ops", "every op with its operands"),
      Example("ops --coverage", "which ops have code, and which operators of ONNX are read"),
    ])

  public static let passes = CommandSpec(
    "passes", "list the passes, in the order of the pipeline", options: [RunKeys.json.spec],
    examples: [Example("passes", "every pass with its phase")])

  public static let targets = CommandSpec(
    "targets", "list the machines that can be compiled for", options: [RunKeys.json.spec],
    examples: [Example("targets", "every target, and which of them this machine is")])

  public static let kernels = CommandSpec(
    "kernels", "list the kernel shapes that exist for a target",
    options: [CompileKeys.target.spec, KernelsCommand.explain.spec, KernelsCommand.types.spec, RunKeys.json.spec],
    examples: [
      Example("kernels --explain 197x768x3072", "the tiles for a product of this size, best first"),
      Example("kernels --target x86-64-v3", "the tiles of contractions on machines with AVX2"),
    ])
}
