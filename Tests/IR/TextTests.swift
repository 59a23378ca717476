import IR
import Support
import Testing

/// Weights kept in memory, as a container would.
struct TestWeights: WeightSource {
  var tensors: [String: Tensor] = [:]
  func weight(named name: String, type: TensorType) throws(Diagnostic) -> Tensor? { tensors[name] }
}

@Suite struct TextTests {
  /// Everything that does not need particular ops.
  static let everything = #"""
    // A comment.
    module @"it's all" {
      symbol n in 1...4096
      symbol 'batch size' in 0...8
      quantization !q1 = {scales = [0.5], zero_points = [3]}
      quantization !"q 2" = {scales = [0.1, 2.5e-08], zero_points = [0, -7], axis = 1}
      weight @conv.w : f32[2, 2] = [1.0, -0.0, inf, 1e-45] from "onnx:\"w\"\n"
      weight @payload : f32[2] = hex "0100c07f0000807f"
      weight @blocks : q8_0[1, 32] = hex "003c0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
      weight @packed : f32[1, 3] @panels4 = hex "0000803f000000400000404000000000"
      weight @halves : f16[3] = [0.099975586, nan, -inf]
      weight @tiny : f8e4m3fn[2] = [0.125, nan]
      weight @nibbles : i4[3] = [-8, 7, 0]
      weight @wide : u64[2] = [0, 18446744073709551615]
      weight @flags : bool[2] = [true, false]
      weight @words : str[2] = ["a\"b", "\xff\x00"]
      weight @empty : f32[0, 4] = []
      weight @scalar : f64[] = [0.1]
      weight @quantized : i8<!q1>[2] = [-128, 127]
      weight @"odd name" : i8<!"q 2">[1, 2] = [1, 2]
      state @kv : f32[1, 8] = zeros
      state @kw : f32[2, 2] = @conv.w

      entry @main(%image: f32[n, 1, 8, 8], %"0": i64['batch size'], %0: seq<optional<f32[2 * n + 1]>>) -> (%scores: f32[n, 8, 8, 1]) {
        %1 = transpose %image {permutation = [0, 2, 3, 1]} : f32[n, 8, 8, 1] loc "onnx:/conv", "b"
        %named = transpose @conv.w {permutation = [1, 0]} : f32[2, 2] guard (n == 4, floordiv(n, 2) == max(1, n - 3))
        %2 = constant {value = f32[2] [1.0, 2.5]} : f32[2]
        return %1
      }

      function @helper(%x: f32[floordiv(n, 2) + 3]) -> (f32[floordiv(n, 2) + 3]) {
        return %x
      }
    }

    """#

  func roundTrip(_ text: String, _ weights: (any WeightSource)? = nil) throws -> Module {
    let module = try ModuleParser.parse(text, file: "test.mir", weights: weights)
    try Verifier.verify(module)
    let printed = module.text()
    let again = try ModuleParser.parse(printed, file: "printed.mir", weights: weights)
    #expect(again.text() == printed)
    #expect(again.isStructurallyEqual(to: module))
    #expect(again.structuralHash == module.structuralHash)
    return module
  }

  @Test func everythingReadsBack() throws {
    let module = try roundTrip(Self.everything)
    // But for the comment and the numbers of values, the text is printed as it was written.
    let expected = Self.everything.split(separator: "\n").dropFirst().joined(separator: "\n")
    let printed = module.text().split(separator: "\n").joined(separator: "\n")
    #expect(printed == expected)
  }

  @Test func valuesKeepTheirBits() throws {
    let module = try roundTrip(Self.everything)
    #expect(module.weight("conv.w")?.tensor.doubles() == [1, -0.0, .infinity, 0x1p-149])
    #expect(module.weight("payload")?.tensor.bytes.array == [1, 0, 0xc0, 0x7f, 0, 0, 0x80, 0x7f])
    #expect(module.weight("words")?.tensor.strings == [Array("a\"b".utf8), [255, 0]])
    #expect(module.weight("packed")?.tensor.doubles() == [1, 2, 3])
    #expect(module.weight("wide")?.tensor.integers() == [0, -1])
  }

  @Test func largeWeightsStayOutside() throws {
    var module = Module(name: "m")
    let tensor = Tensor(.f32, [100], doubles: (0..<100).map(Double.init))
    module.add(Weight(name: "big", tensor: tensor, origin: "here"))
    let printer = ModulePrinter(module)
    #expect(printer.text.contains("weight @big : f32[100] = external from \"here\""))
    #expect(printer.externalWeights.map(\.name) == ["big"])
    let again = try ModuleParser.parse(printer.text, file: "m.mir", weights: TestWeights(tensors: ["big": tensor]))
    #expect(again.isStructurallyEqual(to: module))
    #expect(again.structuralHash == module.structuralHash)
    let zeros = try ModuleParser.parse(printer.text, file: "m.mir", weights: ShapeOnlyWeights())
    #expect(zeros.weight("big")?.tensor.count == 100)
    #expect(zeros.structuralHash != module.structuralHash)
    #expect(throws: Diagnostic.self) { try ModuleParser.parse(printer.text, file: "m.mir") }
  }

  @Test func theHashIsStable() throws {
    let module = try ModuleParser.parse("module @m {}", file: "m.mir")
    // The digest is part of cache keys and of golden files: changing it is a decision.
    #expect(module.structuralHash == "b21ac5e9e0a04d4a0b6af18ef2d61051")
  }

  @Test func errorsAreOneLineWithTheirPlace() throws {
    let text = "module @m {\n  entry @f(%x: f32[2, 3]) -> () {\n    %0 = transpos %x : f32[2]\n    return\n  }\n}"
    do {
      _ = try ModuleParser.parse(text, file: "m.mir")
      Issue.record("it parsed")
    } catch {
      #expect("\(error)" == "m.mir:3:10: there is no op transpos (did you mean transpose?)")
    }
  }
}
