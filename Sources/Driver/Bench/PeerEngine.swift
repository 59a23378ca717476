import CommandLineKit
import Support

/// Another engine that runs the same model, through its Python package.
enum PeerEngine: String, CaseIterable {
  case onnxruntime, openvino

  static func named(_ names: [String]) throws(Diagnostic) -> [PeerEngine] {
    var result: [PeerEngine] = []
    for name in names {
      guard let engine = PeerEngine(rawValue: name) else {
        throw .usage("there is no peer \(name)", hint: choiceHint(for: name, among: allCases.map(\.rawValue)))
      }
      result.append(engine)
    }
    return result
  }

  /// Refuses what cannot work before anything is compiled.
  func check(_ model: String) throws(Diagnostic) {
    guard Paths.suffix(model) == "onnx" else {
      throw .usage("\(rawValue) cannot read \(model)", hint: "it needs a .onnx file")
    }
    guard Subprocess.find("python3") != nil else {
      throw .invalid("there is no program python3, which runs \(rawValue)")
    }
  }

  /// Runs the model on the inputs for some time; its outputs go to `folder`. Returns what the script prints.
  func run(
    _ model: String, inputs: [(name: String, path: String)], threads: Int, seconds: Double, outputs folder: String
  ) throws(Diagnostic) -> JSON {
    try check(model)
    try Paths.makeFolder(folder)
    let request = JSON.object([
      JSON.Member("engine", .string(rawValue)), JSON.Member("model", .string(model)),
      JSON.Member("inputs", .object(inputs.map { JSON.Member($0.name, .string($0.path)) })),
      JSON.Member("threads", .int(threads)), JSON.Member("seconds", .number(seconds)),
      JSON.Member("outputs", .string(folder)),
    ])
    let outcome = try Subprocess.run("python3", ["-c", PeerEngine.script, request.description])
    guard outcome.status == 0 else {
      let reason = outcome.errors.split(separator: "\n").last.map(String.init) ?? "status \(outcome.status)"
      if outcome.status == 9 {
        throw .invalid("python3 cannot import \(rawValue): \(reason)", hint: "pip install \(rawValue)")
      }
      throw .invalid("\(rawValue) failed: \(reason)")
    }
    return try JSON.parse(Array(outcome.output.utf8), file: "\(rawValue)'s answer")
  }

  /// Status 9 stands for a package that is not there.
  private static let script = #"""
    import json, sys, time
    request = json.loads(sys.argv[1])
    engine, threads = request["engine"], request["threads"]
    try:
        import numpy
        if engine == "onnxruntime":
            import onnxruntime
        else:
            import openvino
    except ImportError as problem:
        print(problem, file=sys.stderr)
        sys.exit(9)
    def memory(field):
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))
    try:
        with open("/proc/self/clear_refs", "w") as peak:
            peak.write("5")
    except OSError:
        pass
    before = memory("VmRSS")
    inputs = {name: numpy.load(path) for name, path in request["inputs"].items()}
    start = time.perf_counter()
    if engine == "onnxruntime":
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(request["model"], options, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        version = onnxruntime.__version__
        run = lambda: session.run(None, inputs)
    else:
        core = openvino.Core()
        model = core.read_model(request["model"])
        model.reshape({name: list(array.shape) for name, array in inputs.items()})
        compiled = core.compile_model(model, "CPU", {
            "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"})
        names = [output.any_name for output in compiled.outputs]
        version = openvino.__version__
        call = compiled.create_infer_request()
        def run():
            call.infer(inputs, share_inputs=True)
            return [call.get_output_tensor(i).data for i in range(len(names))]
    load = time.perf_counter() - start
    seconds, samples, warm, start = request["seconds"], [], 0, time.perf_counter()
    while warm < 2 or time.perf_counter() - start < seconds / 10:
        results = run()
        warm += 1
    end = time.perf_counter() + seconds
    while len(samples) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        results = run()
        samples.append((time.perf_counter() - start) * 1e3)
    files = {}
    for number, (name, result) in enumerate(zip(names, results)):
        files[name] = "%s/%d.npy" % (request["outputs"], number)
        numpy.save(files[name], numpy.asarray(result))
    samples.sort()
    n = len(samples)
    json.dump({"version": version, "runs": n, "load_ms": load * 1e3, "peak_rss_bytes": memory("VmHWM") - before,
               "ms": {"min": samples[0], "median": (samples[(n - 1) // 2] + samples[n // 2]) / 2,
                      "p90": samples[(n * 9 + 9) // 10 - 1]},
               "outputs": files}, sys.stdout)
    """#
}
