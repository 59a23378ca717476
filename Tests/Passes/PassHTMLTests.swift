import Foundation
import IR
import Passes
import Testing

@Suite struct PassHTMLTests {
  @Test func pageShowsEveryPassAndEscapes() throws {
    let text = """
      module @m {
        entry @main(%x: f32[2]) -> (%y: f32[2]) {
          %0 = neg %x : f32[2] loc "<script>alert('a & b')</script>"
          %1 = neg %0 : f32[2]
          return %1
        }
      }
      """
    var module = try ModuleParser.parse(text, file: "page.mir")
    var stages = [(passName: "imported", module: module)]
    try PassManager().run([canonicalize], on: &module)
    stages.append((passName: "canonicalize", module: module))
    stages.append((passName: "dead-code", module: module))
    let page = PassHTML.render(stages: stages)
    #expect(page.components(separatedBy: "<section").count == 4)
    #expect(page.contains("<h2>canonicalize</h2>"))
    #expect(page.contains("class=\"same\""))
    #expect(!page.contains("<script>alert"))
    #expect(page.contains("&lt;script&gt;alert(&#39;a &amp; b&#39;)"))
    #expect(page.contains("data-id=\"main/0\""))
    #expect(!page.contains("http"))
  }
}
