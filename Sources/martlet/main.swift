import CommandLineKit
import Driver
import Glibc

Interruption.install()
exit(martletProgram.run(Array(CommandLine.arguments.dropFirst())))
