import CommandLineKit
import Passes

/// The options about inputs, outputs and results of running a model.
public enum RunKeys {
  public enum Peer: String, CaseIterable, Sendable {
    case onnxruntime, litert, reference
  }

  public static let json = OptionKey<Bool>.flag("json", "print one JSON value for programs to read")
  public static let entry = OptionKey<String?>.text("entry", "NAME", "the entry to run, where there are several")
  public static let input = OptionKey<[String]>.list(
    "input", "NAME=FILE.npy",
    "an input's elements; a list's members are NAME.0, NAME.1, ..., or NAME=empty; an absent value is NAME=none")
  public static let random = OptionKey<Int?>.integer(
    "random", "SEED", 0...Int.max, "make up the inputs that are not given")
  public static let outputDir = OptionKey<String?>.text("output-dir", "DIR", "write every output into DIR as .npy")
  public static let saveInputs = OptionKey<String?>.text("save-inputs", "DIR", "write the inputs used into DIR as .npy")
  public static let reference = OptionKey<Bool>.flag("reference", "do not compile: compute each op by its definition")
  public static let seconds = OptionKey<Double?>.decimal("seconds", "S", default: "2", "how long to measure")
  public static let peers = OptionKey<[String]>.commaSeparated(
    "vs", "PEER,...", "measure these in turn with the model, those that are installed: onnxruntime, openvino"
  ).suggesting { PeerEngine.allCases.map(\.rawValue) }

  public static let inputs = OptionKey<String?>.text("inputs", "IN.npz", "the inputs, by name")
  public static let expected = OptionKey<String?>.text("expected", "OUT.npz", "what the outputs should be, by name")
  public static let against = OptionKey<Peer?>.choice("against", "PEER", "who else computes the outputs")
  public static let rtol = OptionKey<Double?>.decimal("rtol", "R", default: "1e-4", "relative tolerance")
  public static let atol = OptionKey<Double?>.decimal(
    "atol", "A", default: "1e-5 of the largest value, at least 1e-5", "absolute tolerance")
  public static let perOp = OptionKey<Bool>.flag("per-op", "compare every op's result, not only the outputs")

  public static let htmlPage = OptionKey<String?>.text("html", "FILE", "write the description as a page")
  public static let profileFile = OptionKey<String?>.text(
    "profile", "FILE.json", "what `bench --profile --json` printed, to show on the page where time goes")
  public static let passes = OptionKey<String>.required(
    "passes", "A,B,C", "the passes to run, in this order"
  ).suggesting { PassRegistry.all.map(\.name) }
}
