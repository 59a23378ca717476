import IR

/// A module after each pass, side by side in one self-contained page.
///
/// Values are numbered alike in all columns. A click on one marks it everywhere,
/// and, more faintly, whatever comes from the same ops of the source.
public enum PassHTML {
  public static func render(stages: [(passName: String, module: Module)], title: String = "Passes") -> String {
    var page = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    page += "<meta name=\"viewport\" content=\"width=device-width\">"
    page += "<title>\(escape(title))</title>\n<style>\(style)</style></head>\n<body>\n"
    page +=
      "<header><h1>\(escape(title))</h1><p>Click a value to follow it; click again to let go.</p></header>\n<main>\n"
    var previous: [String] = []
    for stage in stages {
      var column = Column()
      column.add(stage.module)
      let isUnchanged = column.lines == previous
      page += "<section\(isUnchanged ? " class=\"same\"" : "")><h2>\(escape(stage.passName))"
      page += isUnchanged ? " <small>no change</small></h2>\n" : "</h2>\n"
      page += "<pre>" + column.lines.joined(separator: "\n") + "</pre></section>\n"
      previous = column.lines
    }
    page += "</main>\n<script>\(script)</script>\n</body></html>\n"
    return page
  }

  /// Text that may come from a model file, made safe inside elements and quoted attributes.
  public static func escape(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }

  private static let style = """
    :root{color-scheme:light dark;--back:#fff;--text:#1b1f24;--faint:#6a737d;--line:#d8dee4;--one:#ffd866;--two:#cfe8ff}
    @media(prefers-color-scheme:dark){:root{--back:#14171c;--text:#e3e6ea;--faint:#8b949e;--line:#30363d;--one:#8a6100;\
    --two:#173a57}}
    body{margin:0;background:var(--back);color:var(--text);font:14px system-ui,sans-serif}
    header{padding:8px 16px;position:sticky;left:0}h1{font-size:16px;margin:0}p{margin:2px 0;color:var(--faint)}
    main{display:flex;overflow-x:auto;align-items:flex-start;border-top:1px solid var(--line)}
    section{flex:0 0 auto;max-width:60vw;overflow-x:auto;padding:0 12px;border-right:1px solid var(--line)}
    section.same pre{opacity:.45}h2{font-size:13px;margin:8px 0}small{color:var(--faint);font-weight:normal}
    pre{font:12px/1.5 ui-monospace,monospace;margin:0 0 16px}.v{cursor:pointer;border-radius:3px}.v:hover{background:var(--two)}
    .one{background:var(--one)!important}.two{background:var(--two)}.l{color:var(--faint)}
    """

  private static let script = """
    let chosen=null;
    const all=[...document.querySelectorAll('.v')];
    const places=v=>new Set((v.dataset.places||'').split('\\n').filter(Boolean));
    function mark(){
      const names=new Set();
      if(chosen)for(const v of all)if(v.dataset.id===chosen)for(const p of places(v))names.add(p);
      for(const v of all){
        const same=chosen!==null&&v.dataset.id===chosen;
        v.classList.toggle('one',same);
        v.classList.toggle('two',!same&&[...places(v)].some(p=>names.has(p)));
      }
    }
    document.addEventListener('click',event=>{
      const v=event.target.closest('.v');
      if(!v)return;
      chosen=chosen===v.dataset.id?null:v.dataset.id;
      mark();
    });
    """
}

/// The lines of one column, as HTML.
private struct Column {
  var lines: [String] = []

  mutating func add(_ module: Module) {
    for symbol in module.symbols {
      let (low, high) = (symbol.range.lowerBound, symbol.range.upperBound)
      lines.append("symbol \(PassHTML.escape(symbol.name)) in \(low)...\(high)")
    }
    for weight in module.weights {
      lines.append("weight @\(PassHTML.escape(weight.name)) : \(PassHTML.escape(weight.type.description))")
    }
    for function in module.functions {
      lines.append("")
      let arguments = function[function.body].arguments.map { declaration($0, function) }.joined(separator: ", ")
      lines.append("\(function.isEntry ? "entry" : "function") @\(PassHTML.escape(function.name))(\(arguments)) {")
      add(function.body, of: function, indent: "  ")
      lines.append("}")
    }
  }

  private mutating func add(_ block: BlockID, of function: Function, indent: String) {
    for op in function.ops(in: block) {
      let operation = function[op]
      var line = indent
      if !operation.results.isEmpty {
        line += operation.results.map { value($0, function) }.joined(separator: ", ") + " = "
      }
      line += PassHTML.escape(operation.kind.mnemonic) + " "
      line += operation.operands.map { $0.map { value($0, function) } ?? "_" }.joined(separator: ", ")
      line += PassHTML.escape(String(operation.kind.text.dropFirst(operation.kind.mnemonic.count)))
      for (name, region) in zip(operation.kind.regionNames, operation.regions) {
        let arguments = function[region].arguments.map { declaration($0, function) }.joined(separator: ", ")
        lines.append(line + " \(PassHTML.escape(name))(\(arguments)) {")
        add(region, of: function, indent: indent + "  ")
        line = indent + "}"
      }
      if !operation.results.isEmpty {
        let types = operation.results.map { function.type($0).description }.joined(separator: ", ")
        line += " : " + PassHTML.escape(types)
      }
      if !operation.locations.isEmpty {
        line += " <span class=\"l\">" + PassHTML.escape(operation.locations.joined(separator: ", ")) + "</span>"
      }
      lines.append(line)
    }
    let yields = function[block].yields.map { value($0, function) }.joined(separator: ", ")
    lines.append("\(indent)\(block == function.body ? "return" : "yield") \(yields)")
  }

  private func declaration(_ id: ValueID, _ function: Function) -> String {
    "\(value(id, function)): \(PassHTML.escape(function.type(id).description))"
  }

  /// A value as something to click: its number tells it apart, its ops' source names relate it to others.
  private func value(_ id: ValueID, _ function: Function) -> String {
    var places: [String] = []
    if let op = function.definingOp(id) { places = function[op].locations }
    let name = function.weightName(id).map { "@\($0)" } ?? "%\(function[id].name ?? String(id.number))"
    let identity = function.weightName(id) ?? "\(function.name)/\(id.number)"
    let related = places.map(PassHTML.escape).joined(separator: "&#10;")
    return "<span class=\"v\" data-id=\"\(PassHTML.escape(identity))\" data-places=\"\(related)\">"
      + "\(PassHTML.escape(name))</span>"
  }
}
