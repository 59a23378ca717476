import CommandLineKit

/// The `martlet` command: what there is, in the order of its help.
public let martletProgram: CommandLineProgram = CommandLineProgram(
  name: "martlet", summary: "compiles trained models ahead of time into native code", version: martletVersion,
  commands: [
    CompileCommand.command,
    ConvertCommand.command,
    RunCommand.command,
    BenchCommand.command,
    VerifyCommand.command,
    InspectCommand.command,
    OptCommand.command,
    PassesCommand.command,
    BisectCommand.command,
    ReduceCommand.command,
    BenchWorker.command,
    OpsCommand.command,
    TargetsCommand.command,
    KernelsCommand.command,
    CompletionCommand.command,
  ])
