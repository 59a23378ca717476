import Testing

@testable import CommandLineKit

@Suite struct HelpTests {
  @Test func overviewListsCommands() {
    let text = Help(program: "tool", width: 100).overview("builds things", [Sample.spec])
    #expect(
      text == """
        tool: builds things

        usage: tool COMMAND [ARGUMENTS]

        commands:
          build  build a thing

          help COMMAND  what a command takes, with examples; so does tool COMMAND --help
          --version     which tool this is

        example:
          tool build a.onnx -o a.so

        """)
  }

  @Test func detailsAreAlignedAndWrapped() {
    let text = Help(program: "tool", width: 62).details(Sample.spec)
    #expect(
      text == """
        tool build: build a thing

        usage: tool build MODEL [MORE] -o OUT [OPTIONS]

          MODEL  what to build
          MORE   what else

        options:
          -o, --output OUT   where to write
          --target NAME      the machine (default host)
          --entry NAME       the entry
          --threads MAX      how many threads
          --rtol R           relative tolerance (default 0.001)
          --shape SHAPE      what it looks like: round, square
                             (default round)
          --corner SHAPE     what corners look like: round, square
          --input NAME=FILE  an input; may be given several times
          --passes A,B       the passes
          --json             print JSON

        example:
          tool build a.onnx -o a.so
              builds it for this machine

        """)
  }
}
