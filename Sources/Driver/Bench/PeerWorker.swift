/// The program that runs another engine, in Python.
enum PeerWorker {
  /// The status that stands for a package that is not there.
  static let missing: Int32 = 9

  /// Takes a file with a `PeerRequest` and prints times and where outputs are.
  static let script = #"""
    import json, os, sys, time
    with open(sys.argv[1]) as file:
        request = json.load(file)
    engine, threads = request["engine"], request["threads"]
    try:
        import numpy
        if engine == "onnxruntime":
            import onnxruntime
        else:
            import openvino
        if request["values"]:
            import onnx
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
    path = request["model"]
    if request["values"]:
        # A copy that gives the values as outputs; those that only a subgraph has stay inside.
        model = onnx.load(path)
        made = {name for node in model.graph.node for name in node.output}
        given = {output.name for output in model.graph.output}
        model.graph.output.extend(
            onnx.ValueInfoProto(name=name) for name in request["values"] if name in made - given)
        path = os.path.join(request["outputs"], "observed.onnx")
        onnx.save(model, path, save_as_external_data=model.ByteSize() > 1 << 30, location="observed.weights")
    inputs = {name: numpy.load(file) for name, file in request["inputs"].items()}
    start = time.perf_counter()
    if engine == "onnxruntime":
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        levels = onnxruntime.GraphOptimizationLevel
        options.graph_optimization_level = levels.ORT_ENABLE_ALL if request["optimises"] else levels.ORT_DISABLE_ALL
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        version = onnxruntime.__version__
        run = lambda: session.run(None, inputs)
    else:
        core = openvino.Core()
        model = core.read_model(path)
        model.reshape({name: list(array.shape) for name, array in inputs.items()})
        compiled = core.compile_model(model, "CPU", {
            "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32"})
        names = [output.any_name for output in compiled.outputs]
        version = openvino.__version__
        call = compiled.create_infer_request()
        def run():
            call.infer(inputs, share_inputs=True)
            return [call.get_output_tensor(i).data for i in range(len(names))]
    load = time.perf_counter() - start
    seconds, samples, warm, start = request["seconds"], [], 0, time.perf_counter()
    results = run()
    while seconds > 0 and (warm < 2 or time.perf_counter() - start < seconds / 10):
        results = run()
        warm += 1
    end = time.perf_counter() + seconds
    while not samples or (seconds > 0 and (len(samples) < 3 or time.perf_counter() < end)):
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
